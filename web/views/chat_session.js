// The conversation of each user in this tab. It lives in memory only: another user who signs in sees none of it.
import { call } from "../core/api.js";
import { newId } from "../core/browser.js";
import { queue } from "../core/queue.js";
import { session as identity } from "../core/session.js";
import { reviewReminders } from "../tasks/reminder_store.js";

const sessions = new Map();
let entries = 0;

/** The session of `user`, made on first use: `{entries, draft, sending}`; `subscribe(fn)` tells of every change. */
export function chatSession(user) {
  if (!sessions.has(user)) sessions.set(user, makeSession());
  return sessions.get(user);
}

identity.subscribe(() => {
  if (identity.state.status === "signed-out") sessions.clear();
});

function makeSession() {
  const listeners = new Set();
  const session = {
    entries: [],
    draft: "",
    get sending() { return session.entries.some((each) => each.state === "sending"); },
    subscribe(run) {
      listeners.add(run);
      return () => listeners.delete(run);
    },
    setDraft(text) {
      session.draft = text;
      tell();
    },
    /** Sends a sentence under a new request id. `shown`: how it reads in the conversation. */
    say(text, shown = text) {
      const entry = { id: ++entries, text, shown, requestId: newId(), state: "sending", answer: null,
        error: null };
      session.entries = [...session.entries, entry];
      return send(entry);
    },
    /** Sends a sentence again that got no answer, under the request id that it had: it takes effect once. */
    repeat(id) {
      const entry = session.entries.find((each) => each.id === id);
      return entry && entry.state === "failed" ? send(entry) : Promise.resolve(null);
    },
  };
  const tell = () => listeners.forEach((run) => run());
  const replace = (id, fields) => {
    session.entries = session.entries.map((each) => (each.id === id ? { ...each, ...fields } : each));
    tell();
    return session.entries.find((each) => each.id === id);
  };
  async function send({ id, text, requestId }) {
    replace(id, { state: "sending", error: null });
    queue.own(requestId);
    try {
      const answer = await sendOnce(text, requestId);
      reviewOf(answer);
      return replace(id, { state: "done", answer });
    } catch (error) {
      return replace(id, { state: "failed", error });
    }
  }
  return session;
}

/** Reads the reminders of changed tasks again: the feed tells of none. */
function reviewOf({ actions = [] }) {
  for (const { changed, tasks = [] } of actions) if (changed) tasks.forEach((task) => reviewReminders(task.id));
}

/** One call, repeated once under its request id when its outcome is unknown. */
async function sendOnce(text, requestId) {
  try {
    return await call("ChatService", "Send", { text, requestId });
  } catch (error) {
    if (!["unknown", "deadline_exceeded"].includes(error.code)) throw error;
    return call("ChatService", "Send", { text, requestId });
  }
}

/** The id of the entry that “undo” would take back, or null. */
export function undoableEntry(all) {
  for (const entry of [...all].reverse()) {
    if (entry.state !== "done") continue;
    if (entry.answer.undoable) return entry.id;
    if ((entry.answer.actions || []).some((action) => action.changed)) return null;
  }
  return null;
}

/** The id of the entry whose question the next sentence answers, or null. */
export function openQuestion(all, now = Date.now()) {
  const last = all[all.length - 1];
  if (!last?.answer?.question) return null;
  const end = Date.parse(last.answer.question.expireTime || "");
  return Number.isFinite(end) && end < now ? null : last.id;
}
