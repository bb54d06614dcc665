// The menu of one task: what is done more rarely.
import { store } from "../core/store.js";
import { toast } from "../ui/toast.js";
import { deleteTasks, skipTask, stopSeries, toggleCompleted } from "./actions.js";
import { chooseDue, chooseTags, editRule, openHistory } from "./later.js";

async function copyLink(task) {
  const link = `${location.origin}/task/${store.realId(task.id)}`;
  try {
    await navigator.clipboard.writeText(link);
    toast({ text: "Copied the link to this task" });
  } catch {
    toast({ text: link, timeout: 0 });
  }
}

/** `ops`: those of the list; without them there is no entry for selecting. */
export function moreItems(task, ops) {
  const repeats = task.recurrence_rule && !task.completed;
  return [
    { label: task.completed ? "Open again" : "Complete", icon: "check", hint: "e", run: () => toggleCompleted([task]) },
    ...(ops ? [{ label: "Edit the title", icon: "edit", hint: "F2", run: () => ops.edit(task) },
      { label: "Select", icon: "done", hint: "x", run: () => ops.toggle(task) }] : []),
    null,
    { label: "Due date…", icon: "calendar", hint: "d", run: () => chooseDue([task]) },
    { label: repeats ? "Change how it repeats…" : "Repeat…", icon: "repeat", disabled: task.completed, run: () => editRule(task) },
    { label: "Tags…", icon: "tag", hint: "l", run: () => chooseTags([task]) },
    ...(repeats ? [null, { label: "Skip this one", icon: "skip", run: () => skipTask(task) },
      { label: "Stop repeating", icon: "stop", run: () => stopSeries(task) }] : []),
    null,
    { label: "History…", icon: "history", run: () => openHistory(task.id) },
    { label: "Copy the link", icon: "link", run: () => copyLink(task) },
    { label: "Delete", icon: "trash", hint: "Del", danger: true, run: () => deleteTasks([task]) },
  ];
}
