// Changes that wait for the user. A task that was changed here and elsewhere: both versions side by side, and the user
// chooses. A change that cannot be sent: to be tried again, or given up.
import { html, useEffect, useState } from "/lib/preact.js";
import { usePreferences } from "../core/preferences.js";
import { formatDue } from "../core/dates.js";
import { queue } from "../core/queue.js";
import { useStore } from "../core/store.js";
import { confirm, Dialog } from "../ui/dialog.js";
import { Icon } from "../ui/icon.js";
import { RuleText } from "./recurrence.js";

const rows = [["Title", (task) => task.title], ["Description", (task) => task.description || "none"], ["Due", (task, prefs) => formatDue(task, prefs) || "none"],
  ["Priority", (task) => task.priority], ["Tags", (task) => task.tags.map((tag) => `#${tag}`).join(" ") || "none"],
  ["Repeats", (task) => task.recurrence_rule || "no"], ["State", (task) => (task.completed ? "done" : "open")]];

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
  return html`<${Question} key=${first.requestId} conflict=${first} more=${conflicts.length - 1} onLater=${() => setLater(true)} />`;
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

function Question({ conflict, more, onLater }) {
  const prefs = usePreferences();
  const { mine, theirs, method } = conflict;
  const removes = /Delete|Skip/.test(method);
  const own = mine || (theirs && { ...theirs, ...conflict.fields });
  const different = own && theirs ? rows.filter(([, of]) => of(own, prefs) !== of(theirs, prefs))
    : rows.filter(([, of]) => own && of(own, prefs) !== "none");
  const shown = different.length ? different : rows.slice(0, 1);
  const side = (task, gone) => (!task || gone ? html`<p class="t-hint">The task is deleted.</p>` : html`<dl>${shown.map(([name, of]) => html`
    <div key=${name}><dt>${name}</dt><dd dir="auto">${name === "Repeats" && task.recurrence_rule ? html`<${RuleText} task=${task} />`
      : of(task, prefs)}</dd></div>`)}</dl>`);
  const choose = (choice) => () => queue.resolve(conflict, choice);
  return html`<${Dialog} title="Changed here and elsewhere" wide onClose=${onLater}>
    <p class="dialog-text">Somebody, perhaps you on another device, ${theirs ? "changed" : "deleted"} this task before your change arrived. Which version is right?</p>
    <div class="t-versions"><section aria-label="Your version"><h3>Yours</h3>${side(own, removes)}
        <button type="button" class="button primary" disabled=${!theirs && removes} onClick=${choose("mine")}>Keep mine</button></section>
      <section aria-label="The other version"><h3>Theirs</h3>${side(theirs, false)}
        <button type="button" class="button" onClick=${choose("theirs")}>Keep theirs</button></section></div>
    ${more > 0 && html`<p class="t-hint">${more === 1 ? "1 more question follows." : `${more} more questions follow.`}</p>`}
    <div class="dialog-actions"><button type="button" class="button quiet" onClick=${onLater}>Decide later</button></div><//>`;
}
