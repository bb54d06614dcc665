// Changes that wait for the user: those of tasks that were changed elsewhere too, and those that cannot be sent.
import { html, useEffect, useState } from "/lib/preact.js";
import { queue } from "../core/queue.js";
import { useStore } from "../core/store.js";
import { confirm } from "../ui/dialog.js";
import { Icon } from "../ui/icon.js";
import { ConflictQuestion } from "./later.js";

export function Conflicts() {
  const conflicts = useStore((state) => state.conflicts);
  const [later, setLater] = useState(false);
  const [first] = conflicts;
  useEffect(() => { if (!first) setLater(false); }, [!first]);
  if (!first) return html`<${Stuck} />`;
  if (later) {
    return html`<section class="t-conflict-bar" aria-label="Conflict"><${Icon} name="alert" />
      <span>${conflicts.length === 1 ? "1 change waits" : `${conflicts.length} changes wait`}: the task was changed elsewhere, too.</span>
      <button type="button" class="button small" onClick=${() => setLater(false)}>Decide</button></section>`;
  }
  return html`<${ConflictQuestion} key=${first.requestId} conflict=${first} more=${conflicts.length - 1} onLater=${() => setLater(true)} />`;
}

/** The oldest change that the service has neither made nor refused. */
function Stuck() {
  const stuck = useStore((state) => state.stuck);
  const [first] = stuck;
  if (!first) return null;
  const giveUp = async () => {
    if (await confirm({ title: "Give up this change?", text: `${first.label || "The change"}: it will be taken back here, and is lost.`,
      confirmLabel: "Give it up", cancelLabel: "Keep it", danger: true })) queue.giveUp(first);
  };
  return html`<section class="t-conflict-bar" aria-label="A change that could not be sent" role="status"><${Icon} name="alert" />
    <span dir="auto"><b>Could not be sent: ${first.label || "a change"}.</b> ${first.text}${stuck.length > 1 ? ` ${stuck.length - 1} more wait.` : ""}</span>
    <button type="button" class="button small" onClick=${() => queue.sendAgain(first)}>Try again</button>
    <button type="button" class="button quiet small" onClick=${giveUp}>Give up</button></section>`;
}
