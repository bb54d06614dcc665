// Which tasks have reminders, for the marks in lists. The service lists them for one task at a time, so those of the rows that
// stay in sight are read slowly, one after another.
import { useEffect, useReducer } from "/lib/preact.js";
import { call } from "../core/api.js";
import { session } from "../core/session.js";
import { store } from "../core/store.js";

const known = new Map();
const readVersions = new Map(); // task -> the version at which its reminders were read
const wanted = new Map(); // task -> {version, redraw} of a row that is in sight
const stayMs = 700; // how long a row is in sight before its reminders are worth a call
const betweenMs = 120; // a user's calls per second are limited
let timer = 0;

session.subscribe(({ status }) => {
  if (status === "signed-in") return;
  [known, readVersions, wanted].forEach((map) => map.clear());
});

/** The reminders of a task as they were read last. */
export const knownReminders = (id) => known.get(id) || [];

/** Keeps the reminders that were read of a task at `version`. */
export function keepReminders(id, reminders, version) {
  known.set(id, reminders);
  readVersions.set(id, version);
}

async function readNext() {
  timer = 0;
  const [next] = wanted;
  if (!next || !store.state.online) return;
  const [id, { version, redraw }] = next;
  wanted.delete(id);
  try {
    const { reminders = [] } = await call("ReminderService", "ListReminders", { taskId: id });
    const before = pendingOf(id);
    keepReminders(id, reminders, version);
    if (pendingOf(id) !== before) redraw();
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
    if (completed || id < 0 || readVersions.get(id) === version) return undefined;
    wanted.set(id, { version, redraw });
    timer ||= setTimeout(readNext, stayMs);
    return () => wanted.delete(id);
  }, [id, version, completed]);
  return pendingOf(id);
}
