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
const removing = [["this", "This one only", "The series goes on with the next one."],
  ["following", "This and the following ones", "The series ends here."],
  ["all", "All open ones", "The series ends; completed ones stay."]];

/** Resolves with "this", "following", "all", or null when the user leaves the question. `text`: what it is about. */
export async function askScope({ title, task, many = false, text = `“${[...task.title].slice(0, 80).join("")}” repeats.`, deleting = false, only = null }) {
  const choices = (deleting ? removing : changing).filter(([name]) => !only || only.includes(name));
  const answer = await ask((close) => html`<${Dialog} title=${title} onClose=${() => close(null)}>
    <p class="dialog-text" dir="auto">${text}</p>
    <div class="t-scope">${choices.map(([name, label, hint], index) => html`<button key=${name} type="button" class="t-scope-choice"
      data-autofocus=${index === 0 ? "1" : null} onClick=${() => close(name)}><b>${name === "this" && many ? "Only the selected ones" : label}</b><span>${hint}</span></button>`)}</div>
    <div class="dialog-actions"><button type="button" class="button quiet" onClick=${() => close(null)}>Cancel</button></div>
  <//>`);
  return answer ?? null;
}

/** The question for several tasks at once, if any of them repeats; else resolves with "". */
export async function askScopeOf(tasks, { title, deleting = false }) {
  const repeating = tasks.filter(hasSeries);
  if (repeating.length === 0) return "";
  if (tasks.length === 1) return askScope({ title, task: tasks[0], deleting });
  return askScope({ title, deleting, task: repeating[0], many: true, text: repeating.length === tasks.length ? `All ${tasks.length} tasks repeat.`
    : `${repeating.length} of the ${tasks.length} tasks ${repeating.length === 1 ? "repeats" : "repeat"}.` });
}

/** The tasks that have to be changed one by one: for following and all, one of each series reaches its others. */
export function reachingTasks(tasks, scope) {
  if (scope === "this") return tasks;
  const first = new Map();
  for (const task of tasks) {
    const known = first.get(task.series_id);
    if (!known || task.occurrence < known.occurrence) first.set(task.series_id, task);
  }
  return tasks.filter((task) => !task.series_id || first.get(task.series_id) === task);
}
