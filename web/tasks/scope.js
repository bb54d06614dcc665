// The question which tasks of a series a change is for.
import { html } from "/lib/preact.js";
import { ask, Dialog } from "../ui/dialog.js";

export const scopes = { this: "SERIES_SCOPE_THIS", following: "SERIES_SCOPE_FOLLOWING", all: "SERIES_SCOPE_ALL" };

/** Resolves with "this", "following" or "all", or null. A task without a rule needs no question: "". */
export async function askScope(task, { title, verb = "Change", only = ["this", "following", "all"] }) {
  if (!task.recurrence_rule) return "";
  const texts = {
    this: [`${verb} this one only`, "The others stay as they are."],
    following: [`${verb} this and the following ones`, "From here on."],
    all: [`${verb} all open ones`, "Done ones stay as they are."],
  };
  return ask((close) => html`<${Dialog} title=${title} onClose=${() => close(null)}>
    <p class="dialog-text">This task repeats. What is the change for?</p>
    <div class="t-scopes">${only.map((name) => html`<button key=${name} type="button" class="t-scope"
      aria-label=${texts[name][0]} onClick=${() => close(name)}><strong>${texts[name][0]}</strong>
      <span>${texts[name][1]}</span></button>`)}</div><//>`);
}
