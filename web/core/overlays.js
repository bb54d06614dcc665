// What a pending write makes of the tasks before the server has answered: `optimistic` of the write, one step or a list
// of steps: {create: task} puts a task in place, {update: id, fields} changes one, {remove: id} takes one away. Steps are
// data, so they survive a closed tab.
import { realId } from "./store.js";

export function stepsOf(write) {
  const { optimistic } = write;
  if (!optimistic) return [];
  return Array.isArray(optimistic) ? optimistic : [optimistic];
}

/** The id of the task that a step touches, the server's if it is known. */
export function idOf(step) {
  return realId(step.create ? step.create.id : step.update ?? step.remove);
}

/** The tasks that a write touches. */
export function idsOf(write) {
  return stepsOf(write).map(idOf);
}

/** `task` (null: there is none) after the steps of `writes` that touch it. `write.seen`: steps that the feed has told. */
export function applyTo(id, task, writes) {
  let result = task;
  for (const write of writes) {
    for (const step of stepsOf(write)) {
      if (idOf(step) !== id || write.seen?.includes(id)) continue;
      if (step.create) result = Object.freeze({ ...step.create, id, pending: true });
      else if (step.remove !== undefined) result = null;
      else if (result) result = Object.freeze({ ...result, ...step.fields, pending: true });
    }
  }
  return result;
}
