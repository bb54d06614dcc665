// The user's notifications in memory, shared by the bell and the view. They follow the feed; after a pause of the
// connection the list is read again. Without network the first page is the one that was read last.
import { useEffect, useState } from "/lib/preact.js";
import { call } from "../core/api.js";
import { onNotification } from "../core/feed.js";
import { queue } from "../core/queue.js";
import { keepRead, readKept } from "../core/saving.js";
import { session } from "../core/session.js";
import { store } from "../core/store.js";
import { readReminders } from "../tasks/reminder_store.js";

const empty = () => ({ user: null, items: [], unread: 0, next: "", ready: false, busy: false, error: null });
let state = empty();
let generation = 0;
let started = false;
const listeners = new Set();

function set(fields) {
  state = { ...state, ...fields };
  listeners.forEach((run) => run());
}

/** The state and its changes in a component. The first use begins to watch. */
export function useNotifications() {
  const [, redraw] = useState(0);
  useEffect(() => {
    start();
    const run = () => redraw((was) => was + 1);
    listeners.add(run);
    return () => listeners.delete(run);
  }, []);
  return state;
}

function start() {
  if (started) return;
  started = true;
  let connection = store.state.connection;
  store.subscribe(() => {
    const now = store.state.connection;
    if (now === "live" && connection !== "live") refresh();
    connection = now;
  });
  onNotification(() => refresh());
  session.subscribe(followUser);
  followUser();
}

function followUser() {
  const user = session.state.status === "signed-in" ? session.state.user : null;
  if (user === state.user) return;
  ++generation;
  state = { ...empty(), user };
  set({});
  if (user) refresh();
}

/** Reads the first page again. */
export async function refresh() {
  const mine = ++generation;
  set({ busy: true });
  try {
    const answer = await call("NotificationService", "ListNotifications", { pageSize: 50 }, { get: true });
    if (mine !== generation) return;
    const page = { items: answer.notifications || [], unread: Number(answer.unreadCount || 0) };
    keepRead("notifications", 0, page);
    set({ ...page, next: answer.nextPageToken || "", ready: true, busy: false, error: null });
  } catch (error) {
    const [kept] = error.code === "offline" && !state.ready ? await readKept("notifications", 0) : [];
    if (mine === generation) set({ ...(kept && { ...kept.value, ready: true }), busy: false, error });
  }
}

/** Reads the next page. */
export async function more() {
  const mine = ++generation;
  set({ busy: true });
  try {
    const answer = await call("NotificationService", "ListNotifications", { pageSize: 50, pageToken: state.next },
      { get: true });
    if (mine !== generation) return;
    const known = new Set(state.items.map((each) => each.id));
    set({ items: [...state.items, ...(answer.notifications || []).filter((each) => !known.has(each.id))],
      next: answer.nextPageToken || "", busy: false, error: null });
  } catch (error) {
    if (mine === generation) set({ busy: false, error });
  }
}

/** Marks notifications as read, all without `ids`: shown at once, taken back when the server refuses. */
export async function markRead(ids) {
  const chosen = ids && new Set(ids);
  const now = new Date().toISOString();
  const changed = state.items.filter((each) => !each.readAt && (!chosen || chosen.has(each.id)));
  if (chosen && changed.length === 0) return;
  const before = state;
  ++generation;
  set({ items: state.items.map((each) => (changed.includes(each) ? { ...each, readAt: now } : each)),
    unread: chosen ? Math.max(0, state.unread - changed.length) : 0 });
  try {
    await call("NotificationService", "MarkNotificationsRead", ids ? { ids } : { all: true });
  } catch (error) {
    set({ items: before.items, unread: before.unread });
    throw error;
  } finally {
    refresh();
  }
}

/**
 * Moves the reminder that made `notification` to `until` (RFC 3339) or by `duration` (ISO 8601). A reminder that was
 * deleted since is made anew. Resolves with {remindAt}, or null when the service refused.
 */
export async function snooze({ taskId: id, title, remindAt }, { until, duration }) {
  const taskId = Number(id);
  const reminders = await readReminders(taskId);
  const moment = Date.parse(remindAt);
  const fired = reminders.filter((each) => each.state === "REMINDER_STATE_FIRED");
  const reminder = fired.find((each) => Date.parse(each.remindAt) === moment)
    || reminders.find((each) => Date.parse(each.remindAt) === moment)
    || fired.sort((a, b) => Date.parse(b.firedAt) - Date.parse(a.firedAt))[0];
  const at = until || new Date(Date.now() + minutesOf(duration) * 60000).toISOString();
  const made = await queue.write({ label: `Remind again of “${title}”`, ...(reminder
    ? { method: "SnoozeReminder", request: { taskId, number: reminder.number, until: at } }
    : { method: "CreateReminder", request: { taskId, reminder: { at } } }) });
  return made && { remindAt: at };
}

function minutesOf(duration) {
  const [, hours, minutes] = /^PT(?:(\d+)H)?(?:(\d+)M)?$/.exec(duration) || [];
  return Number(hours || 0) * 60 + Number(minutes || 0);
}
