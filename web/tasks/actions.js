// What can be done with tasks. Each action shows its result at once and offers to undo it.
import { announce } from "../core/announce.js";
import { formatDay } from "../core/dates.js";
import { preferences } from "../core/preferences.js";
import { queue } from "../core/queue.js";
import { router } from "../core/router.js";
import { store } from "../core/store.js";
import { toast } from "../ui/toast.js";
import { askScope, scopes } from "./scope.js";

const batchSize = 50;
const short = (title) => ([...title].length > 60 ? `${[...title].slice(0, 60).join("")}…` : title);
const quoted = (tasks) => (tasks.length === 1 ? `“${short(tasks[0].title)}”` : `${tasks.length} tasks`);

function said(text, undo) {
  toast({ text, actions: undo ? [{ label: "Undo", run: undo }] : [] });
  return text;
}

/** Several changes in one call for each fifty. */
async function batch(changes, optimistic, label) {
  for (let from = 0; from < changes.length; from += batchSize) {
    const part = changes.slice(from, from + batchSize);
    await queue.write({ method: "BatchUpdateTasks", request: { changes: part }, label,
      optimistic: optimistic.slice(from, from + batchSize) });
  }
}

export function complete(tasks) {
  const open = tasks.filter((task) => !task.completed);
  if (open.length === 0) return undefined;
  const at = new Date().toISOString();
  const steps = open.map((task) => ({ update: task.id, fields: { completed: true, completed_at: at } }));
  said(`Completed ${quoted(open)}`, () => uncomplete(open));
  if (open.length > 1) return batch(open.map(({ id }) => ({ id, completed: true })), steps, `Complete ${open.length} tasks`);
  return queue.write({ method: "CompleteTask", request: { id: open[0].id }, label: `Complete: ${short(open[0].title)}`, optimistic: steps });
}

export function uncomplete(tasks) {
  const steps = tasks.map((task) => ({ update: task.id, fields: { completed: false, completed_at: null } }));
  announce(`${quoted(tasks)} open again`);
  if (tasks.length > 1) return batch(tasks.map(({ id }) => ({ id, completed: false })), steps, `Open ${tasks.length} tasks again`);
  return queue.write({ method: "UncompleteTask", request: { id: tasks[0].id }, label: `Open again: ${short(tasks[0].title)}`,
    optimistic: steps });
}

export const toggle = (task) => (task.completed ? uncomplete([task]) : complete([task]));

/** Deletes tasks; for one of a series the user says which ones. */
export async function remove(tasks) {
  if (tasks.length === 0) return;
  let scope = "";
  if (tasks.length === 1) {
    scope = await askScope(tasks[0], { title: `Delete ${quoted(tasks)}?`, verb: "Delete" });
    if (scope === null) return;
  }
  const steps = tasks.map((task) => ({ remove: task.id }));
  said(`Deleted ${quoted(tasks)}`, () => restore(tasks));
  if (router.route.view === "task" && tasks.some((task) => task.id === store.realId(router.route.taskId))) router.close();
  if (tasks.length > 1) await batch(tasks.map(({ id }) => ({ id, deleted: true })), steps, `Delete ${tasks.length} tasks`);
  else {
    await queue.write({ method: "DeleteTask", request: { id: tasks[0].id, ...(scope ? { scope: scopes[scope] } : {}) },
      label: `Delete: ${short(tasks[0].title)}`, optimistic: steps });
  }
}

export function restore(tasks) {
  for (const task of tasks) {
    queue.write({ method: "RestoreTask", request: { id: task.id }, label: `Bring back: ${short(task.title)}`,
      optimistic: { create: task } });
  }
  announce(`${quoted(tasks)} back again`);
}

const names = { title: "title", description: "description", priority: "priority", tags: "tags", due_local: "dueLocal",
  time_zone: "timeZone", due_date: "dueDate", recurrence_rule: "recurrenceRule", recurrence_basis: "recurrenceBasis" };
const apiValue = { priority: (value) => `PRIORITY_${value.toUpperCase()}`,
  recurrence_basis: (value) => `RECURRENCE_BASIS_${value.toUpperCase()}` };

/** Fields in the shape of the feed as those of the API, with the mask that names them. */
function toApi(fields) {
  const task = {};
  for (const [name, value] of Object.entries(fields)) {
    if (names[name] && value !== null) task[names[name]] = apiValue[name] ? apiValue[name](value) : value;
  }
  return { task, updateMask: Object.keys(fields).filter((name) => names[name]).map((name) => names[name]).join(",") };
}

/** Changes fields of one task. `scope`: "", "this", "following" or "all". */
export function update(task, fields, { scope = "", shown = {}, label = "" } = {}) {
  const { task: changed, updateMask } = toApi(fields);
  return queue.write({ method: "UpdateTask", etag: true, label: label || `Change: ${short(task.title)}`,
    request: { task: { id: task.id, ...changed }, updateMask, ...(scope ? { scope: scopes[scope] } : {}) },
    optimistic: { update: task.id, fields: { ...fields, ...shown } } });
}

/** Changes fields that a series shares; asks what the change is for. False: the user does not want it. */
export async function edit(task, fields, what) {
  const scope = await askScope(task, { title: `Change the ${what}` });
  if (scope === null) return false;
  const before = Object.fromEntries(Object.keys(fields).map((name) => [name, task[name]]));
  await update(task, fields, { scope });
  if (scope !== "") said(`Changed the ${what}`, () => update({ ...task, ...fields }, before, { scope }));
  return true;
}

/** What the due date of a task is made of. */
export const dueOf = (task) => ({ due_kind: task.due_kind, due_local: task.due_local, due_date: task.due_date, time_zone: task.time_zone });

function dueFields(due) {
  if (!due.due_kind) return { due_local: null, due_date: null };
  if (due.due_kind === "instant") return { due_date: due.due_date };
  return { due_local: due.due_local, time_zone: due.time_zone };
}

/** Moves tasks to a day ("2026-11-27", the time of day stays), a time on it, or null: no date. */
export function moveTo(tasks, day) {
  const { zone } = preferences.state;
  const before = new Map(tasks.map((task) => [task.id, dueOf(task)]));
  const dues = new Map(tasks.map((task) => [task.id, movedDue(task, day, zone)]));
  const where = day === null ? "Date removed" : `Moved to ${formatDay(day.slice(0, 10), preferences.state)}`;
  said(`${where}: ${quoted(tasks)}`, () => setDues(tasks, before));
  return setDues(tasks, dues);
}

function movedDue(task, day, zone) {
  if (day === null) return { due_kind: null };
  const own = task.time_zone && task.due_kind ? task.time_zone : zone;
  if (day.length > 10) return { due_kind: "local", due_local: day, time_zone: zone };
  if (task.due_kind === "local") return { due_kind: "local", due_local: day + task.due_local.slice(10), time_zone: own };
  return { due_kind: "date", due_local: day, time_zone: own };
}

function setDues(tasks, dues) {
  const fields = tasks.map((task) => dueFields(dues.get(task.id)));
  const steps = tasks.map((task) => ({ update: task.id, fields: { due_date: null, due_local: null, ...dues.get(task.id),
    ...(dues.get(task.id).due_kind ? {} : { recurrence_rule: null }) } }));
  if (tasks.length === 1) {
    const { task: changed, updateMask } = toApi(clearRule(tasks[0], fields[0]));
    return queue.write({ method: "UpdateTask", etag: true, label: `Move: ${short(tasks[0].title)}`,
      request: { task: { id: tasks[0].id, ...changed }, updateMask }, optimistic: steps });
  }
  return batch(tasks.map((task, index) => ({ id: task.id, update: toApi(clearRule(task, fields[index])) })), steps,
    `Move ${tasks.length} tasks`);
}

/** A rule needs a date: without one it goes, too. */
function clearRule(task, fields) {
  return fields.due_local === null && task.recurrence_rule ? { ...fields, recurrence_rule: null } : fields;
}

export async function setPriority(tasks, priority) {
  const changed = tasks.filter((task) => task.priority !== priority);
  if (changed.length === 0) return;
  const undo = () => changed.forEach((task) => update(task, { priority: task.priority }));
  said(`Priority ${priority}: ${quoted(changed)}`, undo);
  if (changed.length === 1) await update(changed[0], { priority });
  else {
    await batch(changed.map(({ id }) => ({ id, update: toApi({ priority }) })),
      changed.map(({ id }) => ({ update: id, fields: { priority } })), `Priority of ${changed.length} tasks`);
  }
}

/** Adds and removes tags; the others stay. */
export function changeTags(tasks, { add = [], drop = [] }) {
  const next = (task) => [...task.tags.filter((tag) => !drop.includes(tag)), ...add.filter((tag) => !task.tags.includes(tag))];
  said(`Tags changed: ${quoted(tasks)}`, () => tasks.forEach((task) => update(task, { tags: task.tags })));
  return batch(tasks.map(({ id }) => ({ id, tags: { add, remove: drop } })),
    tasks.map((task) => ({ update: task.id, fields: { tags: next(task) } })), `Tags of ${quoted(tasks)}`);
}
