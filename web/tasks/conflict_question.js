// A task that was changed here and elsewhere: both versions side by side, and the user chooses.
import { html } from "/lib/preact.js";
import { formatDue } from "../core/dates.js";
import { usePreferences } from "../core/preferences.js";
import { queue } from "../core/queue.js";
import { Dialog } from "../ui/dialog.js";
import { quoted } from "./actions.js";
import { RuleText } from "./recurrence.js";

const rows = [["Title", (task) => task.title], ["Description", (task) => task.description || "none"], ["Due", (task, prefs) => formatDue(task, prefs) || "none"],
  ["Priority", (task) => task.priority], ["Tags", (task) => task.tags.map((tag) => `#${tag}`).join(" ") || "none"],
  ["Repeats", (task) => task.recurrence_rule || "no"], ["State", (task) => (task.completed ? "done" : "open")]];

export function ConflictQuestion({ conflict, more, onLater }) {
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
    <p class="dialog-text">Somebody, perhaps you on another device, ${theirs ? "changed" : "deleted"} ${theirs || own ? quoted(theirs || own) : "this task"} before your change arrived. Which version is right?</p>
    <div class="t-versions"><section aria-label="Your version"><h3>Yours</h3>${side(own, removes)}
        <button type="button" class="button primary" disabled=${!theirs && removes} onClick=${choose("mine")}>Keep mine</button></section>
      <section aria-label="The other version"><h3>Theirs</h3>${side(theirs, false)}
        <button type="button" class="button" onClick=${choose("theirs")}>Keep theirs</button></section></div>
    ${more > 0 && html`<p class="t-hint">${more === 1 ? "1 more question follows." : `${more} more questions follow.`}</p>`}
    <div class="dialog-actions"><button type="button" class="button quiet" onClick=${onLater}>Decide later</button></div><//>`;
}
