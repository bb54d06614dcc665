// Requests of writes: which task they are about, their etag, and ids that were temporary when they were made.
import { newId } from "./browser.js";
import { stepsOf } from "./overlays.js";
import { realId, store } from "./store.js";

/** The task of a write about a single one; 0 for any other. */
export function taskIdOf({ method, request }) {
  if (method === "CreateTask" || method === "BatchUpdateTasks") return 0;
  return realId(Number(request.task?.id ?? request.taskId ?? request.id ?? 0));
}

/** Sets the state that the write expects; without one it takes any. */
export function setEtag(write, etag) {
  if (write.method === "UpdateTask") write.request = { ...write.request, task: { ...write.request.task, etag } };
  else write.request = { ...write.request, etag };
}

/** The state that the write expects. */
export function etagOf({ method, request }) {
  return method === "UpdateTask" ? request.task?.etag : request.etag;
}

/**
 * Brings waiting writes up to `tasks`, the result of a write before them: with the server's ids, and with the new etag
 * where the task was not changed by others in between. `seen`: the user has seen that state, whoever made it. Returns those
 * that became different.
 */
export function passOn(later, tasks, seen = false) {
  return later.flatMap((each) => {
    const next = withRealIds(each);
    const task = tasks.find(({ id }) => id === taskIdOf(next));
    if (each.etag && task && (seen || follows(task, etagOf(next)))) setEtag(next, task.etag);
    if (next.request.changes) next.request.changes = next.request.changes.map((change) => passOnChange(change, tasks, seen));
    return JSON.stringify(next.request) === JSON.stringify(each.request) ? [] : [next];
  });
}

function passOnChange(change, tasks, seen) {
  const task = change.etag && tasks.find(({ id }) => id === change.id);
  return task && (seen || follows(task, change.etag)) ? { ...change, etag: task.etag } : change;
}

/** The version that an etag names, or null. */
export function versionOf(etag) {
  const [, version] = /^v(\d+)$/.exec(etag || "") || [];
  return version === undefined ? null : Number(version);
}

/** Whether the task is one change, or none, behind the state that `etag` names. */
function follows(task, etag) {
  const before = versionOf(etag);
  return before === null || task.version - before === 0 || task.version - before === 1;
}

/** The series that a write may change: a change of one occurrence may reach the others. */
export function seriesOf(write) {
  const ids = write.request.changes?.map(({ id }) => realId(Number(id))) || [taskIdOf(write)];
  return [...new Set(ids.map((id) => (store.base(id) || store.state.tasks.get(id))?.series_id).filter(Boolean))];
}

/** Of the writes `later`, those that name the request `from` as one of the user's own before them, with its new name, too. */
export function renamed(later, from, to) {
  return later.filter(({ after }) => after?.includes(from)).map((each) => ({ ...each, after: [...each.after, to] }));
}

const aloneMethods = { completed: ["UncompleteTask", "CompleteTask"], deleted: ["RestoreTask", "DeleteTask"] };

/** One change of a write of several as a write of its own, which is sent right behind it. */
export function alone(write, index) {
  const { id, etag, update, ...rest } = write.request.changes[index];
  const [[kind, value]] = update ? [["update", true]] : Object.entries(rest);
  const requestId = newId();
  return { service: "TodoService", requestId, label: write.label, at: write.at, etag: true, after: write.after,
    method: update ? "UpdateTask" : aloneMethods[kind][Number(value)], optimistic: [stepsOf(write)[index]],
    request: update ? { task: { ...update.task, id, etag }, updateMask: update.updateMask, requestId } : { id, etag, requestId },
    order: write.order + ((write.parts || 0) + 1) / 128 };
}

/** The write with the server's ids in the place of temporary ones. */
export function withRealIds(write) {
  const request = { ...write.request };
  const named = (id) => realId(Number(id));
  if (request.id !== undefined) request.id = named(request.id);
  if (request.taskId !== undefined) request.taskId = named(request.taskId);
  if (request.task?.id !== undefined) request.task = { ...request.task, id: named(request.task.id) };
  if (request.changes) request.changes = request.changes.map((change) => ({ ...change, id: named(change.id) }));
  const optimistic = stepsOf(write).map((step) => {
    if (step.update !== undefined) return { ...step, update: realId(step.update) };
    return step.remove !== undefined ? { remove: realId(step.remove) } : step;
  });
  return { ...write, request, optimistic };
}
