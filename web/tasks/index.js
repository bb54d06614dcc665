// Stand-in until the lists of tasks are there.
import { html, useState } from "/lib/preact.js";
import { queue } from "../core/queue.js";
import { formatDue } from "../core/dates.js";
import { usePreferences } from "../core/preferences.js";
import { useStore } from "../core/store.js";
import { toast } from "../ui/toast.js";

export const focusQuickAdd = () => document.getElementById("new-task")?.focus();
export const Conflicts = () => null;
export function useCounts() {
  const tasks = useStore((state) => state.tasks);
  let all = 0;
  for (const task of tasks.values()) all += task.completed ? 0 : 1;
  return { all, today: 0, overdue: 0, upcoming: 0, tags: [] };
}

export function TasksView({ route }) {
  const tasks = useStore((state) => state.tasks);
  const [text, setText] = useState("");
  const prefs = usePreferences();
  const add = (event) => {
    event.preventDefault();
    queue.write({ method: "CreateTask", request: { task: { title: text } }, label: `Add ${text}`,
      optimistic: { create: { title: text, completed: false, tags: [], priority: "medium", version: 0 } } });
    setText("");
  };
  const check = (task) => {
    queue.write({ method: task.completed ? "UncompleteTask" : "CompleteTask", request: { id: task.id }, etag: true, label: `Complete ${task.title}`,
      optimistic: { update: task.id, fields: { completed: !task.completed } } });
    toast({ text: `Completed “${task.title}”`, actions: [{ label: "Undo", run: () => check({ ...task, completed: !task.completed }) }] });
  };
  const list = [...tasks.values()].filter((task) => (route.view === "done") === task.completed).slice(0, 200);
  return html`<div class="v-view"><h1>${route.view}</h1><form onSubmit=${add}><input id="new-task" aria-label="Add a task" value=${text}
    onInput=${(event) => setText(event.currentTarget.value)} /></form><ul>${list.map((task) => html`<li key=${task.id}><input type="checkbox"
    checked=${task.completed} aria-label=${task.title} onChange=${() => check(task)} /> <a href=${`/task/${task.id}`} dir="auto">${task.title}</a> ${formatDue(task, prefs)}
    ${task.pending ? "…" : ""}</li>`)}</ul></div>`;
}
