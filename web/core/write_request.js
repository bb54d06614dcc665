// Requests of writes: which task they are about, their etag, and ids that were temporary when they were made.
import { stepsOf } from "./overlays.js";
import { realId } from "./store.js";

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
    return JSON.stringify(next.request) === JSON.stringify(each.request) ? [] : [next];
  });
}

/** Whether the task is one change, or none, behind the state that `etag` names. */
function follows(task, etag) {
  const before = /^v(\d+)$/.exec(etag || "")?.[1];
  return before === undefined || task.version - before === 0 || task.version - before === 1;
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
