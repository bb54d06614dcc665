// Which tasks have reminders, for the marks in lists. The service lists them for one task at a time, so those of the rows that
// stay in sight are read slowly, one after another.
import { useEffect, useReducer } from "/lib/preact.js";
import { call } from "../core/api.js";
import { session } from "../core/session.js";
import { store } from "../core/store.js";

const known = new Map();
const readVersions = new Map(); // task -> the version at which its reminders were read
const wanted = new Map(); // task -> its version, for rows that are in sight
const drawn = new Map(); // task -> what draws its row again
const stayMs = 700; // how long a row is in sight before its reminders are worth a call
const betweenMs = 120; // a user's calls per second are limited
let timer = 0;

session.subscribe(({ status }) => {
  if (status === "signed-in") return;
  [known, readVersions, wanted, drawn].forEach((map) => map.clear());
});

/** The reminders of a task as they were read last. */
export const knownReminders = (id) => known.get(id) || [];

/** Keeps the reminders that were read of a task at `version`. */
export function keepReminders(id, reminders, version) {
  const before = pendingOf(id);
  known.set(id, reminders);
  readVersions.set(id, version);
  if (pendingOf(id) !== before) drawn.get(id)?.();
}

/** The reminders of a task have changed, so they are read again. */
export function reviewReminders(id) {
  const task = store.state.tasks.get(store.realId(id));
  if (!task || task.id < 0) return;
  wanted.set(task.id, task.version);
  timer ||= setTimeout(readNext, betweenMs);
}

async function readNext() {
  timer = 0;
  const [next] = wanted;
  if (!next || !store.state.online) return;
  const [id, version] = next;
  wanted.delete(id);
  try {
    const { reminders = [] } = await call("ReminderService", "ListReminders", { taskId: id });
    keepReminders(id, reminders, version);
  } catch {
    // The next look at the task reads them.
  }
  if (wanted.size > 0) timer ||= setTimeout(readNext, betweenMs);
}

const pendingOf = (id) => knownReminders(id).filter((each) => each.state === "REMINDER_STATE_PENDING").length;

/** The number of pending reminders of a task, which is read when its row stays in sight. */
export function useReminderCount({ id, version, completed }) {
  const [, redraw] = useReducer((count) => count + 1, 0);
  useEffect(() => {
    drawn.set(id, redraw);
    return () => drawn.get(id) === redraw && drawn.delete(id);
  }, [id]);
  useEffect(() => {
    if (completed || id < 0 || readVersions.get(id) === version) return undefined;
    wanted.set(id, version);
    timer ||= setTimeout(readNext, stayMs);
    return () => wanted.delete(id);
  }, [id, version, completed]);
  return pendingOf(id);
}
