// The reminders of tasks as they were read last: for the panel, for the marks in lists, and for times without network. The
// service lists them for one task at a time, so those of the rows that stay in sight are read slowly, one after another.
// They are read again when a reminder was sent or its time has passed, after the user's own changes in any tab, and after a
// pause of the connection.
import { useEffect, useReducer } from "/lib/preact.js";
import { call } from "../core/api.js";
import { onNotification } from "../core/feed.js";
import { onMade } from "../core/queue.js";
import { keepRead, readKept } from "../core/saving.js";
import { session } from "../core/session.js";
import { store } from "../core/store.js";

const known = new Map();
const readVersions = new Map(); // task -> its version when its reminders were read
const urgent = new Set(); // tasks whose reminders are read at once, and
const wanted = new Set(); // those that can wait
const watchers = new Map(); // task -> what shows its reminders: {redraw, soon}
const stayMs = 700; // how long a row is in sight before its reminders are worth a call
const betweenMs = 120; // a user's calls per second are limited
const looksMs = [500, 5000, 60000]; // after its time a reminder is sent: most at once, some when the service is back
const longestMs = 24 * 3600 * 1000;
let timer = 0;
let busy = false;
let alarm = 0;
let rung = 0;

/** The reminder will be sent. */
export const isPending = ({ state, remindAt }) => state === "REMINDER_STATE_PENDING" && !(Date.parse(remindAt) < Date.now());

let user = "";

async function followUser() {
  const key = session.state.status === "signed-in" ? session.key : "";
  if (key === user) return;
  user = key;
  [known, readVersions, urgent, wanted, watchers].forEach((each) => each.clear());
  clearTimeout(alarm);
  rung = 0;
  const kept = key ? await readKept("reminders") : [];
  if (key === user) kept.forEach(({ name, value }) => known.has(name) || take(name, value));
}

session.subscribe(followUser);
followUser();

function take(id, reminders) {
  known.set(id, reminders);
  watchers.get(id)?.forEach(({ redraw }) => redraw());
  clearTimeout(alarm);
  alarm = setTimeout(ring);
}

/** Reads again what should have been sent by now, and waits for the next such moment. */
function ring() {
  const now = Date.now();
  let next = now + longestMs;
  for (const [id, reminders] of known) {
    for (const { state, remindAt } of reminders) {
      for (const look of state === "REMINDER_STATE_PENDING" ? looksMs : []) {
        const at = Date.parse(remindAt) + look;
        if (at > now) next = Math.min(next, at);
        else if (at > rung) reviewReminders(id);
      }
    }
  }
  rung = now;
  alarm = setTimeout(ring, next - now);
}

/** The reminders of a task may have changed, so they are read again. */
export function reviewReminders(taskId) {
  const id = store.realId(Number(taskId));
  if (!store.state.tasks.has(id) || id < 0) return;
  const shown = watchers.get(id);
  shown?.forEach(({ redraw }) => redraw());
  (shown ? urgent : wanted).add(id);
  readSoon();
}

function readSoon(delay = betweenMs) {
  if (busy) return;
  if (urgent.size) clearTimeout(timer);
  else if (timer) return;
  timer = setTimeout(readNext, urgent.size ? 0 : delay);
}

async function readNext() {
  timer = 0;
  const [id] = [...urgent, ...wanted];
  if (busy || !id || !store.state.online) return;
  urgent.delete(id);
  wanted.delete(id);
  busy = true;
  // After a failure the next look at the task reads them, as it does when the service has made the task.
  if (store.base(id) && store.state.tasks.has(id)) await readReminders(id);
  busy = false;
  if (urgent.size + wanted.size) readSoon();
}

/** Reads the reminders of a task; without network they are those that were read last. */
export async function readReminders(id) {
  const asked = user;
  const version = store.state.tasks.get(id)?.version;
  const { reminders = [], failed } = await call("ReminderService", "ListReminders", { taskId: id }).catch(() => ({ failed: true }));
  if (failed || asked !== user) return known.get(id) || [];
  readVersions.set(id, version);
  take(id, reminders);
  keepRead("reminders", id, reminders.length ? reminders : null);
  return reminders;
}

onNotification(({ task_id: id }) => reviewReminders(id));

// Each tab hears of the changes of all. The answer is the reminder, as it is or was.
onMade(({ method, request }, answer) => {
  if (!/Reminder$/.test(method)) return;
  const id = store.realId(Number(request.taskId));
  const others = (known.get(id) || []).filter(({ number }) => number !== answer?.number);
  if (answer?.number) take(id, method === "DeleteReminder" ? others : [...others, answer].sort((one, other) => one.number - other.number));
  reviewReminders(id);
});

const isOpen = (those) => [...those].some(({ soon }) => soon);

let { connection } = store.state;
store.subscribe((state) => {
  const back = state.connection === "live" && connection !== "live";
  ({ connection } = state);
  if (!back) return;
  readVersions.clear(); // notifications of the meantime are not repeated
  for (const [id, those] of watchers) (isOpen(those) ? urgent : wanted).add(id);
  readSoon();
});

/** The feed tells of no reminder that another device or the chat has made, so what is open is read again at a new look. */
function lookAgain() {
  if (document.visibilityState !== "visible") return;
  for (const [id, those] of watchers) if (isOpen(those)) reviewReminders(id);
}

document.addEventListener("visibilitychange", lookAgain);
addEventListener("focus", lookAgain);

/** The reminders of a task, which are read when they stay in sight, or soon. */
export function useReminders({ id, version, completed }, soon = false) {
  const [, redraw] = useReducer((count) => count + 1, 0);
  const reminders = known.get(id);
  useEffect(() => {
    if (known.get(id) !== reminders) redraw(); // they were read after they were drawn
    if (id < 0 || (completed && !soon)) return undefined;
    const watcher = { redraw, soon };
    const those = watchers.get(id) || watchers.set(id, new Set()).get(id);
    those.add(watcher);
    if (soon || readVersions.get(id) !== version) {
      (soon ? urgent : wanted).add(id);
      readSoon(stayMs);
    }
    return () => {
      those.delete(watcher);
      if (those.size > 0) return;
      if (watchers.get(id) === those) watchers.delete(id);
      wanted.delete(id);
    };
  }, [id, version, completed]);
  return reminders || [];
}
