// What can be taken back, the newest first. It outlives the message that offers it.
import { toast } from "../ui/toast.js";

const most = 50;
let steps = [];

/**
 * Shows `text` with a button that calls `undo()`, and remembers it for the key; `shown: false` only remembers it. False of
 * `undo` says that nothing is left to take back. Returns the step; `step.show(text, actions)` shows it anew.
 */
export function undoable(text, undo, { actions = [], shown = true } = {}) {
  const step = { text, close() {} };
  step.run = () => {
    steps = steps.filter((each) => each !== step);
    step.close();
    toast({ text: undo() === false ? `This cannot be undone any more: ${step.text}` : `Undone: ${step.text}` });
  };
  step.show = (words, more) => {
    step.close();
    step.close = toast({ text: words, actions: [...more, { label: "Undo", run: step.run }] });
  };
  steps = [step, ...steps].slice(0, most);
  if (shown) step.show(text, actions);
  return step;
}

/** Takes the newest step back, and says so. */
export function undoLast() {
  if (steps.length > 0) steps[0].run();
  else toast({ text: "Nothing to undo" });
}

/** Forgets all: another user comes. */
export function forgetSteps() {
  steps = [];
}
