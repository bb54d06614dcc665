// What users do to tasks: the write, what is shown of it at once, and the toast that takes it back.
import { taskFromApi } from "../core/api.js";
import { addDays, dueDay, formatDay, localOf, nextWeekday, startOfWeek, today, weekday, zoneOf } from "../core/dates.js";
import { announce } from "../core/announce.js";
import { preferences } from "../core/preferences.js";
import { queue } from "../core/queue.js";
import { router } from "../core/router.js";
import { store, temporaryId } from "../core/store.js";
import { undoable } from "../core/undo.js";
import { toast } from "../ui/toast.js";
import { onArrival } from "./selectors.js";
import { askScope, askScopeOf, hasSeries, reachingTasks } from "./scope.js";

const perBatch = 50;
const patienceMs = 30000; // how long a completed task waits for the next of its series
const freshMs = 4000;
const priorityNames = { low: "PRIORITY_LOW", medium: "PRIORITY_MEDIUM", high: "PRIORITY_HIGH" };
const scopeNames = { this: "SERIES_SCOPE_THIS", following: "SERIES_SCOPE_FOLLOWING", all: "SERIES_SCOPE_ALL" };

export function shorten(text, length = 60) {
  const letters = [...text];
  return letters.length > length ? `${letters.slice(0, length).join("")}…` : text;
}

export const quoted = (task) => `“${shorten(task.title)}”`;
const several = (tasks) => (tasks.length === 1 ? quoted(tasks[0]) : `${tasks.length} tasks`);
const current = (task) => store.state.tasks.get(store.realId(task.id)) || null;

function withUndo(text, undo, actions = []) {
  return undoable(text, undo, { actions });
}

/** Sends changes of several tasks together, in calls of 50. `etag`: a task that was changed meanwhile makes a conflict. */
function batch(tasks, label, change, optimistic, { etag = false } = {}) {
  const seen = (task) => (etag && store.base(task.id)?.etag ? { etag: store.base(task.id).etag } : {});
  for (let at = 0; at < tasks.length; at += perBatch) {
    const part = tasks.slice(at, at + perBatch);
    queue.write({ method: "BatchUpdateTasks", label, optimistic: part.map(optimistic),
      request: { changes: part.map((task) => ({ id: task.id, ...seen(task), ...change(task) })) } });
  }
}

// Adding.

/**
 * Adds a task. `draft` is a Task of the API; the reminders are made after it, in the same queue. `stored`: {requestId,
 * onStored} as queue.write() takes them. Returns its id.
 */
export function addTask(draft, reminders = [], stored = {}) {
  const id = temporaryId();
  const { dueLocal } = draft;
  const shown = taskFromApi({ ...draft, version: 0, dueKind: !dueLocal ? "" : dueLocal.length > 10 ? "DUE_KIND_LOCAL" : "DUE_KIND_DATE" });
  queue.write({ ...stored, method: "CreateTask", request: { task: draft }, label: `Add “${shorten(draft.title)}”`, optimistic: { create: { ...shown, id,
    created_at: new Date().toISOString(), time_zone: draft.timeZone || zoneOf(preferences.state.zone) } } });
  reminders.forEach((reminder) => addReminder({ id, title: draft.title }, reminder));
  return id;
}

/** Takes the adding of a task back, with what has followed in its series. False: it is gone. */
export function takeOut(id) {
  const task = current({ id });
  if (!task) return false;
  queue.write({ method: "DeleteTask", label: `Undo: add ${quoted(task)}`, request: { id, ...(task.recurrence_rule ? { scope: scopeNames.all } : {}) },
    optimistic: [task, ...mates(task, "all")].map((each) => ({ remove: each.id })) });
  leave(task);
  return true;
}

export function addReminder(task, reminder) {
  return queue.write({ method: "CreateReminder", request: { taskId: task.id, reminder }, label: `Remind of ${quoted(task)}` });
}

// Completing.

const openFields = { completed: false, completed_at: null };
const awaited = new Map(); // series -> {step, at}: what waits for its next occurrence
const appeared = new Map();

function setCompleted(tasks, completed) {
  const fields = completed ? { completed: true, completed_at: new Date().toISOString() } : openFields;
  const label = `${completed ? "Complete" : "Open again"} ${several(tasks)}`;
  if (tasks.length > 1) return batch(tasks, label, () => ({ completed }), (task) => ({ update: task.id, fields }));
  return queue.write({ method: completed ? "CompleteTask" : "UncompleteTask", request: { id: tasks[0].id }, label,
    optimistic: { update: tasks[0].id, fields } });
}

/** Completes those that are open, or opens the others again when all are done. */
export function toggleCompleted(tasks) {
  const open = tasks.filter((task) => !task.completed);
  const completed = open.length > 0;
  const chosen = completed ? open : tasks;
  if (chosen.length === 0) return;
  setCompleted(chosen, completed);
  const text = `${completed ? "Completed" : "Opened again"} ${several(chosen)}`;
  const step = withUndo(text, () => {
    chosen.forEach((task) => awaited.delete(current(task)?.series_id));
    const left = chosen.map(current).filter(Boolean);
    return left.length > 0 && setCompleted(left, !completed);
  });
  if (completed) chosen.forEach(({ series_id: series }) => series && awaited.set(series, { step, at: Date.now() }));
}

onArrival((task) => {
  if (!task.series_id || task.completed || !(task.occurrence > 1)) return;
  appeared.set(task.id, Date.now());
  const due = dueDay(task, preferences.state);
  const when = due ? formatDay(due, preferences.state) : "it is in the list";
  const wait = awaited.get(task.series_id);
  if (!wait || Date.now() - wait.at > patienceMs) return announce(`Next: ${quoted(task)}, ${when}`);
  awaited.delete(task.series_id);
  wait.step.show(`${wait.step.text}. Next: ${when}`, [{ label: "Show", run: () => router.go(`/task/${task.id}`) }]);
});

/** Whether the task has just appeared as the next one of its series. */
export const isFresh = (id) => Date.now() - (appeared.get(id) || 0) < freshMs;

// Changing fields.

const names = { title: "title", description: "description", priority: "priority", tags: "tags", due_local: "dueLocal",
  due_date: "dueDate", time_zone: "timeZone", recurrence_rule: "recurrenceRule", recurrence_basis: "recurrenceBasis" };

/** Fields of the page's shape as the API's task and mask. */
export function toApi(fields) {
  const task = {};
  const mask = [];
  for (const [field, name] of Object.entries(names)) {
    if (!(field in fields)) continue;
    mask.push(name);
    const value = fields[field];
    if (value === null || value === undefined) continue;
    task[name] = field === "priority" ? priorityNames[value]
      : field === "recurrence_basis" ? `RECURRENCE_BASIS_${value.toUpperCase()}` : value;
  }
  return { task, updateMask: mask.join(",") };
}

/** The due date of a task as fields that write it back. */
export function dueOf(task) {
  if (!task.due_kind) return { due_local: null, due_kind: null };
  if (task.due_kind === "instant") return { due_date: task.due_date, due_kind: "instant" };
  return { due_local: task.due_local, due_kind: task.due_kind, time_zone: task.time_zone };
}

/** The values that `fields` have in `task` now, as fields that write them back. */
export function presentOf(task, fields) {
  const present = {};
  for (const field of Object.keys(fields)) {
    if (/^(due_|time_zone)/.test(field)) Object.assign(present, dueOf(task));
    else present[field] = task[field] ?? null;
  }
  return present;
}

/** What is shown of `fields` until the server has answered: the instant of a new due date is not known yet. */
function shownOf(fields) {
  if (!("due_kind" in fields)) return fields;
  return { ...fields, due_date: fields.due_date ?? null, due_local: fields.due_kind === "instant" ? null : fields.due_local ?? null };
}

/** The other open tasks of a series that `scope` reaches. */
function mates(task, scope) {
  if (!task.series_id || (scope !== "following" && scope !== "all")) return [];
  return [...store.state.tasks.values()].filter((each) => each.series_id === task.series_id && each.id !== task.id && !each.completed
    && (scope === "all" || each.occurrence > task.occurrence));
}

/** Writes `fields` of one task. `scope`: "this", "following", "all", or nothing for the default of the API. */
export function writeFields(task, fields, { scope = "", label = `Change ${quoted(task)}`, etag = true } = {}) {
  const { task: request, updateMask } = toApi(fields);
  const others = "due_kind" in fields ? [] : mates(task, scope);
  return queue.write({ method: "UpdateTask", etag, label,
    request: { task: { id: task.id, ...request }, updateMask, ...(scope ? { scope: scopeNames[scope] } : {}) },
    optimistic: [task, ...others].map((each) => ({ update: each.id, fields: shownOf(fields) })) });
}

/** Changes fields of one task, with the question about its series where there is one. False: the user left the question. */
export async function changeTask(task, fields, { ask = true, what = "Changed", label, etag = true } = {}) {
  let present = current(task);
  if (!present) return false;
  let scope = "";
  if (ask && hasSeries(present)) {
    scope = await askScope({ title: "What is this change for?", task: present });
    present = current(task);
    if (!scope || !present) return false;
  }
  const before = presentOf(present, fields);
  writeFields(present, fields, { scope, label, etag });
  withUndo(`${what} ${quoted({ title: fields.title || present.title })}`, () => {
    const now = current(present);
    return now ? writeFields(now, before, { scope, label: `Undo a change of ${quoted(now)}`, etag: false }) : false;
  });
  return true;
}

/**
 * The same change of several tasks: `fieldsOf(task)`. `scope`: what it is for in tasks that repeat; a new due date moves
 * only these occurrences.
 */
export function changeTasks(tasks, fieldsOf, text, scope = "this") {
  const all = tasks.map(current).filter(Boolean);
  if (all.length === 0) return;
  const before = all.map((task) => presentOf(task, fieldsOf(task)));
  const write = (list, of, label, etag) => {
    const dated = (task) => "due_kind" in of(task);
    const alone = list.length === 1 ? list : reachingTasks(list.filter((task) => hasSeries(task) && !dated(task)), scope);
    for (const task of alone) writeFields(task, of(task), { label, etag, scope: hasSeries(task) ? (dated(task) ? "this" : scope) : "" });
    const together = list.length === 1 ? [] : list.filter((task) => !hasSeries(task) || dated(task));
    batch(together, label, (task) => ({ update: toApi(of(task)) }), (task) => ({ update: task.id, fields: shownOf(of(task)) }), { etag });
  };
  write(all, fieldsOf, text, true);
  const [first] = all;
  const mover = all.length === 1 && hasSeries(first) && "due_local" in fieldsOf(first) ? [{ label: "Move the series", run: () => {
    const now = current(first);
    if (now) writeFields(now, dueOf(now), { scope: "following", label: `Move the series of ${quoted(now)}` });
  } }] : [];
  withUndo(text, () => {
    const back = new Map(all.map((task, at) => [store.realId(task.id), before[at]]));
    const left = all.map(current).filter(Boolean);
    return left.length > 0 && write(left, (task) => back.get(task.id), `Undo: ${text}`, false);
  }, mover);
}

// Due dates.

/** Days that one step reaches, in their order: [{label, icon, day}]. */
export function quickDays() {
  const now = today(preferences.state.zone);
  const isWeekend = [0, 6].includes(weekday(now));
  return [{ label: "Today", icon: "today", day: now }, { label: "Tomorrow", icon: "tomorrow", day: addDays(now, 1) },
    { label: isWeekend ? "Next weekend" : "This weekend", icon: "weekend", day: nextWeekday(now, 6) },
    { label: "Next week", icon: "week", day: addDays(startOfWeek(now, preferences.state.weekStart), 7) }]
    .sort((one, other) => (one.day < other.day ? -1 : 1));
}

/** The fields of a task that is moved to `day` and keeps its time of day; null: no due date. */
export function fieldsForDay(task, day) {
  if (!day) return { due_local: null, due_kind: null };
  let clock = "";
  if (task.due_kind === "local") clock = task.due_local.slice(10);
  if (task.due_kind === "instant") clock = localOf(task.due_date, preferences.state.zone).slice(10);
  const zone = task.due_kind && task.due_kind !== "instant" ? task.time_zone : zoneOf(preferences.state.zone);
  return { due_local: day + clock, due_kind: clock ? "local" : "date", time_zone: zone };
}

export function moveToDay(tasks, day) {
  const movable = day ? tasks : tasks.filter((task) => !task.recurrence_rule);
  if (movable.length === 0) return toast({ text: "A repeating task needs a date. Stop repeating it first." });
  return changeTasks(movable, (task) => fieldsForDay(task, day),
    day ? `Moved ${several(movable)} to ${formatDay(day, preferences.state)}` : `Removed the date of ${several(movable)}`);
}

export async function setPriority(tasks, priority) {
  if (tasks.length === 1) return changeTask(tasks[0], { priority }, { what: `Set ${priority} priority for` });
  const scope = await askScopeOf(tasks, { title: "What is this change for?" });
  if (scope === null) return false;
  changeTasks(tasks, () => ({ priority }), `Set ${priority} priority for ${several(tasks)}`, scope || "this");
  return true;
}

/** Changes tags of several tasks; the other tags stay, also those that came from elsewhere meanwhile. `parts`: task -> {add, remove}. */
function writeTags(parts, label) {
  const change = new Map([...parts].map(([task, part]) => [current(task), part]).filter(([task]) => task));
  const after = (task, { add, remove }) => [...task.tags.filter((tag) => !remove.includes(tag) && !add.includes(tag)), ...add];
  batch([...change.keys()], label, (task) => ({ tags: change.get(task) }),
    (task) => ({ update: task.id, fields: { tags: after(task, change.get(task)) } }));
  return change.size > 0;
}

/** Puts tags on tasks and takes others off. */
export async function setTags(tasks, add, remove = []) {
  const tagsOf = (task) => [...new Set([...task.tags.filter((tag) => !remove.includes(tag)), ...add])];
  const changed = tasks.map(current).filter((task) => task && String(tagsOf(task)) !== String(task.tags));
  if (changed.length === 0) return undefined;
  if (changed.length === 1) return changeTask(changed[0], { tags: tagsOf(changed[0]) }, { what: "Changed the tags of" });
  const text = `Changed the tags of ${several(changed)}`;
  const scope = await askScopeOf(changed, { title: "What is this change for?" });
  if (scope === null) return false;
  if (scope === "following" || scope === "all") return changeTasks(changed, (task) => ({ tags: tagsOf(task) }), text, scope);
  const parts = new Map(changed.map((task) => [task, { add: add.filter((tag) => !task.tags.includes(tag)),
    remove: remove.filter((tag) => task.tags.includes(tag) && !add.includes(tag)) }]));
  writeTags(parts, text);
  withUndo(text, () => writeTags(new Map([...parts].map(([task, part]) => [task, { add: part.remove, remove: part.add }])), `Undo: ${text}`));
  return undefined;
}

// Deleting, skipping, stopping.

/** Brings deleted tasks back, several in one step. */
export function restore(tasks) {
  const back = (task) => ({ create: { ...task, id: store.realId(task.id) } });
  const label = `Bring back ${several(tasks)}`;
  if (tasks.length === 1) queue.write({ method: "RestoreTask", request: { id: tasks[0].id }, label, optimistic: back(tasks[0]) });
  else batch(tasks, label, () => ({ deleted: false }), back);
}

/** Deletes tasks, after the question about their series where they have some. */
export async function deleteTasks(tasks) {
  const all = tasks.map(current).filter(Boolean);
  if (all.length === 0) return;
  const scope = await askScopeOf(all, { title: "Which ones shall be deleted?", deleting: true });
  if (scope === null) return;
  const here = all.map(current).filter(Boolean);
  const alone = here.length === 1 ? here : reachingTasks(here.filter(hasSeries), scope);
  const together = here.length === 1 ? [] : here.filter((task) => !hasSeries(task));
  const gone = new Map([...here, ...alone.flatMap((task) => mates(task, scope))].map((task) => [task.id, task]));
  for (const task of alone) {
    queue.write({ method: "DeleteTask", etag: true, label: `Delete ${quoted(task)}`, request: { id: task.id,
      ...(scope && hasSeries(task) ? { scope: scopeNames[scope] } : {}) },
    optimistic: [task, ...mates(task, scope)].map((each) => ({ remove: each.id })) });
  }
  batch(together, `Delete ${several(together)}`, () => ({ deleted: true }), (task) => ({ remove: task.id }), { etag: true });
  withUndo(`Deleted ${several([...gone.values()])}`, () => restore([...gone.values()]));
  here.forEach(leave);
}

function leave(task) {
  if (router.route.view === "task" && store.realId(router.route.taskId) === task.id) router.close();
}

export function skipTask(task) {
  queue.write({ method: "SkipTask", request: { id: task.id }, label: `Skip ${quoted(task)}`, optimistic: { remove: task.id } });
  const step = withUndo(`Skipped ${quoted(task)}`, () => restore([task]));
  if (task.series_id) awaited.set(task.series_id, { step, at: Date.now() });
  leave(task);
}

export function stopSeries(task) {
  const before = { recurrence_rule: task.recurrence_rule, recurrence_basis: task.recurrence_basis };
  queue.write({ method: "StopSeries", request: { id: task.id }, label: `Stop the series of ${quoted(task)}`,
    optimistic: [task, ...mates(task, "all")].map((each) => ({ update: each.id, fields: { recurrence_rule: null } })) });
  withUndo(`${quoted(task)} does not repeat any more`, () => {
    const now = current(task);
    return now ? writeFields(now, before, { label: `Repeat ${quoted(now)} again`, etag: false }) : false;
  });
}
