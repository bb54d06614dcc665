// The question which occurrences of a series a change is for. The answer is never remembered.
import { html } from "/lib/preact.js";
import { store } from "../core/store.js";
import { ask, Dialog } from "../ui/dialog.js";

/** Whether a change of this task may also be meant for others: it repeats, or its series has other open occurrences. */
export function hasSeries(task) {
  if (!task || task.completed) return false;
  return Boolean(task.recurrence_rule) || Boolean(task.series_id && hasMates(task));
}

export function hasMates(task) {
  for (const each of store.state.tasks.values()) {
    if (each.series_id === task.series_id && each.id !== task.id && !each.completed) return true;
  }
  return false;
}

const changing = [["this", "This one only", "The series goes on as before."],
  ["following", "This and the following ones", "What comes later is changed with it."],
  ["all", "All open ones", "The whole series; completed ones stay as they are."]];
const removing = [["this", "This one only", "It is skipped, and the next one appears."],
  ["following", "This and the following ones", "The series ends here."],
  ["all", "All open ones", "The series ends; completed ones stay."]];

/** Resolves with "this", "following", "all", or null when the user leaves the question. */
export async function askScope({ title, task, deleting = false, only = null }) {
  const choices = (deleting ? removing : changing).filter(([name]) => !only || only.includes(name));
  const answer = await ask((close) => html`<${Dialog} title=${title} onClose=${() => close(null)}>
    <p class="dialog-text" dir="auto">“${[...task.title].slice(0, 80).join("")}” repeats.</p>
    <div class="t-scope">${choices.map(([name, label, text], index) => html`<button key=${name} type="button" class="t-scope-choice"
      data-autofocus=${index === 0 ? "1" : null} onClick=${() => close(name)}><b>${label}</b><span>${text}</span></button>`)}</div>
    <div class="dialog-actions"><button type="button" class="button quiet" onClick=${() => close(null)}>Cancel</button></div>
  <//>`);
  return answer ?? null;
}
