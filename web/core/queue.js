// Writes that the server has not confirmed. Each one is stored in IndexedDB before it is sent, with the id of its request,
// so it is made exactly once however often it is sent. They are sent in order, by one tab at a time (a Web Lock), which
// tells the others by BroadcastChannel. `write.conflict` and `write.stuck`: it waits until the user has settled that.
import { call, onReach, taskFromApi } from "./api.js";
import { idsOf, stepsOf } from "./overlays.js";
import { nameTask, realId, setPending, setState, store, takeTasks, temporaryId } from "./store.js";
import { exclusively, newId } from "./browser.js";
import { session } from "./session.js";
import { passOn, seriesOf, setEtag, taskIdOf, withRealIds } from "./write_request.js";
import { Writes } from "./writes.js";
import { toast } from "../ui/toast.js";

const mostRecent = 50;
const settling = () => import("./settling.js"); // loaded when a write fails
const madeListeners = new Set();
const waiting = new Map(); // request id -> resolve of the promise that write() gave
const over = new Set(); // request ids of settled writes: a queue that was read a moment before may still have them
let answered = []; // by settled writes: a write that was stored a moment later expects the state before
let recent = []; // writes about series that were made a moment ago: the feed may not have told all that they changed
let writes = null;
let begun = null; // a promise: the stored queue was read
let begin = () => {};
let channel = null;
let userKey = "";
let sending = false;
let again = false; // something was added while the last round ended
let pause = 1000;
let timer = 0;

const pending = () => store.state.pending;
const isHeld = (write) => Boolean(write.conflict || write.stuck);
const replace = (write) => setPending(pending().map((each) => (each.requestId === write.requestId ? write : each)));
const without = (requestId) => setPending(pending().filter((each) => each.requestId !== requestId));
const temporaryOf = (write) => stepsOf(write).find((step) => step.create?.id < 0)?.create.id;

/** Calls `listen(write, answer, tasks)` for each write that was made, in each tab of the user. */
export function onMade(listen) {
  madeListeners.add(listen);
  return () => madeListeners.delete(listen);
}

/** From now on changes of the user are taken; they are stored and sent after startQueue(). */
export function openQueue(key) {
  userKey = key;
  begun = new Promise((resolve) => { begin = resolve; });
  channel = new BroadcastChannel(`todo.queue.${key}`);
  channel.onmessage = ({ data }) => hear(data);
}

/** Begins with the queue that `copy` of the user holds; null: the browser stores nothing. */
export async function startQueue(copy, key) {
  const read = new Writes(copy);
  const names = copy ? await copy.readNames() : [];
  const stored = (await read.read()).filter(({ requestId }) => !over.has(requestId));
  if (key !== userKey) return;
  writes = read;
  names.forEach(([temporary, id]) => nameTask(temporary, id));
  const known = new Set(stored.map(({ requestId }) => requestId));
  setPending([...stored, ...pending().filter(({ requestId }) => !known.has(requestId))]);
  begin();
  kick();
}

/** Takes over what another tab has stored, and did not live to tell. */
async function adopt() {
  if (!writes || document.visibilityState !== "visible") return;
  const user = userKey;
  const stored = await writes.read();
  if (user !== userKey) return;
  const known = new Set([...pending().map(({ requestId }) => requestId), ...over]);
  const left = stored.filter(({ requestId }) => !known.has(requestId));
  if (left.length > 0) setPending([...pending(), ...left]);
  kick();
}

export function stopQueue() {
  clearTimeout(timer);
  channel?.close();
  channel = writes = null;
  userKey = "";
  over.clear();
  recent = answered = [];
  begin();
  for (const resolve of waiting.values()) resolve(null);
  waiting.clear();
}

/**
 * Makes a change: shows it at once, stores it and sends it. `etag: true` has it refused when the task was changed
 * meanwhile; a text is the state that the user has seen. `onStored()` is called when a closed tab cannot lose it any more.
 * `note`: kept with the write, for the listeners of onMade().
 * Resolves with the task of the answer (with `queued: true` and the optimistic task while offline), the whole answer where
 * it is not a task, or null when the change was refused.
 */
async function write({ service, method, request, label = "", optimistic = null, etag = false, requestId = newId(), onStored, note }) {
  if (!userKey) return null;
  const user = userKey;
  const steps = (Array.isArray(optimistic) ? optimistic : optimistic ? [optimistic] : [])
    .map((step) => (step.create && !step.create.id ? { create: { ...step.create, id: temporaryId() } } : step));
  const made = withRealIds({ service: service || (/Reminder/.test(method) ? "ReminderService" : "TodoService"), method,
    request: { ...request, requestId }, label, optimistic: steps, requestId, note, at: Date.now(), etag: false });
  const id = taskIdOf(made);
  if (etag && id !== 0) {
    made.etag = true;
    setEtag(made, etag === true ? store.base(id)?.etag : etag);
  }
  rememberSeries(made);
  setPending([...pending(), made]);
  const result = new Promise((resolve) => waiting.set(requestId, resolve));
  await begun;
  if (user !== userKey) return null;
  const kept = await writes.add(made);
  if (kept) onStored?.();
  if (user !== userKey) return null;
  if (!kept) warn();
  channel.postMessage({ type: "added", write: made });
  if (!store.state.online) answerQueued(made);
  kick();
  return result;
}

/** `write.after`: the user's own changes of the series, which may have made another version of the task than it expects. */
function rememberSeries(made) {
  const series = seriesOf(made);
  if (series.length === 0) return;
  const before = [...recent, ...pending()].filter((each) => each.series?.some((id) => series.includes(id)));
  Object.assign(made, { series, after: before.map(({ requestId }) => requestId) });
}

let warned = false;

/** The browser could not store a change, so this tab alone knows it until it is sent. */
function warn() {
  if (!warned) addEventListener("beforeunload", (event) => writes?.loose && event.preventDefault());
  warned = true;
  toast({ text: "This browser could not store the change. Keep the page open until it is sent." });
}

let asked = false;

/** The promise of a write that has to wait is settled with what is shown. */
function answerQueued(made) {
  // A browser that is short of space deletes what it was not asked to keep.
  if (!asked) navigator.storage?.persist?.().catch(() => {});
  asked = true;
  const id = stepsOf(made).length ? idsOf(made)[0] : taskIdOf(made);
  const task = store.state.tasks.get(id) || stepsOf(made)[0]?.create || null;
  settle(made.requestId, task ? { ...task, queued: true } : { queued: true });
}

function settle(requestId, answer) {
  waiting.get(requestId)?.(answer);
  waiting.delete(requestId);
}

/** Sends what is waiting. Harmless to call at any time. */
async function kick() {
  clearTimeout(timer);
  again = sending;
  if (sending || !writes || !navigator.onLine || pending().every(isHeld)) return;
  sending = true;
  const user = userKey;
  try {
    await exclusively(`todo.send.${user}`, async () => {
      while (user === userKey && writes) {
        const next = await nextWrite();
        if (!next || user !== userKey || !(await send(next))) break;
      }
    });
  } catch (error) {
    if (user === userKey) {
      reportError(error);
      sendLater();
    }
  } finally {
    sending = false;
  }
  if (again) kick();
}

function sendLater(delay = pause) {
  clearTimeout(timer);
  timer = setTimeout(kick, delay);
  pause = Math.min(2 * pause, 30000);
}

/**
 * The first write that waits for no decision of the user, neither its own nor that of a write before it on the same task.
 * The stored queue counts: another tab may have sent some meanwhile.
 */
async function nextWrite() {
  const held = new Set();
  for (const each of await writes.read()) {
    const ids = [...idsOf(each), taskIdOf(each)].filter((id) => id !== 0);
    if (!isHeld(each) && !ids.some((id) => held.has(id))) return each;
    ids.forEach((id) => held.add(id));
  }
  return null;
}

/** False: the queue has to wait. */
async function send(stored) {
  const user = userKey;
  const next = answered.reduce((each, task) => passOn([each], [task])[0] || each, stored);
  let answer;
  try {
    answer = await call(next.service, next.method, withRealIds(next).request);
  } catch (error) {
    return user === userKey && failed(next, error);
  }
  if (user !== userKey) return false;
  pause = 1000;
  const tasks = answersTask(next) ? [taskFromApi(answer)] : (answer.tasks || []).map(taskFromApi);
  const temporary = temporaryOf(next);
  const names = temporary && tasks[0] ? [[temporary, tasks[0].id]] : [];
  names.forEach(([from, to]) => nameTask(from, to));
  // One step, so that a tab that ends here leaves the later writes either as they were or as they have to be.
  await writes.edit((all) => (all.some(({ order }) => order === next.order)
    ? { put: passOn(all.filter(({ order }) => order > next.order), tasks), remove: [next.order], names,
      notes: next.note && tasks[0] ? [[tasks[0].id, { ...next.note, made: tasks[0] }]] : [] } : {}));
  if (user !== userKey) return false;
  tell({ type: "done", requestId: next.requestId, tasks, names, answer: answersTask(next) ? null : answer, method: next.method });
  return true;
}

/** What settles writes that were not simply made (settling.js) works with. */
const line = { writes: () => writes, user: () => userKey, tell,
  /** The queue has to wait. */
  wait(error) {
    if (error.code === "offline") setState({ online: false });
    pending().forEach(answerQueued);
    sendLater(error.retryAfterMs || pause);
    return false;
  } };

async function failed(next, error) {
  const user = userKey;
  const settle = error.code === "offline" ? null : await settling().catch(() => null);
  if (user !== userKey) return false;
  return settle ? settle.failed(next, error, line) : line.wait(error);
}

const answersTask = ({ service, method }) => service === "TodoService" && method !== "BatchUpdateTasks";

function tell(message) {
  channel?.postMessage(message);
  hear(message);
}

/** The tasks of an answer as the store takes them. A removed task must not come back by its own last state. */
function resultOf(mine, tasks) {
  const gone = stepsOf(mine).filter((step) => step.remove !== undefined).map((step) => realId(step.remove));
  return tasks.filter(({ id }) => !mine.seen?.includes(id))
    .filter(({ id, version }) => !gone.includes(id) || !(store.base(id)?.version > version))
    .map((task) => [task.id, gone.includes(task.id) ? null : task]);
}

/** What this tab or another one has done with the queue. */
function hear({ type, requestId, write: changed, tasks = [], names = [], answer, text }) {
  const mine = pending().find((each) => each.requestId === (requestId || changed?.requestId));
  if (requestId) over.add(requestId);
  if (type === "added" && !mine) {
    setPending([...pending(), changed]);
    kick();
  } else if (type === "done") {
    const temporary = mine && temporaryOf(mine);
    if (temporary && tasks[0]) nameTask(temporary, tasks[0].id);
    names.forEach(([from, to]) => nameTask(from, to));
    if (mine) takeTasks(resultOf(mine, tasks), { own: true });
    answered = [...answered, ...tasks].slice(-mostRecent);
    if (mine?.series) recent = [...recent, mine].slice(-mostRecent);
    if (mine) madeListeners.forEach((listen) => listen(mine, answer, tasks));
    without(requestId);
    settle(requestId, answer ?? (tasks[0] || null));
  } else if (type === "refused") {
    without(requestId);
    if (waiting.has(requestId) || document.visibilityState === "visible") toast({ text, kind: "error", timeout: 12000 });
    settle(requestId, null);
  } else if (type === "held" && mine) {
    replace(changed);
    settle(changed.requestId, null);
  } else if (type === "dropped" || type === "again") {
    takeTasks(tasks.map((task) => [task.id, task]), { own: true });
    if (text) toast({ text, kind: "error", timeout: 12000 });
    settle(requestId, null);
    if (type === "dropped") without(requestId);
    else setPending(pending().map((each) => (each.requestId === requestId ? changed : each)));
  }
}

/** The feed brought a change of the call `requestId`: its overlay on that task has done its work. True: a call of this browser. */
export function seenInFeed(requestId, id, changeKind) {
  const mine = requestId && pending().find((each) => each.requestId === requestId);
  if (!mine) return over.has(requestId);
  const temporary = temporaryOf(mine);
  if (temporary && changeKind === "created") {
    nameTask(temporary, id);
    writes?.edit(() => ({ names: [[temporary, id]] })).catch(() => {}); // else the next start would show it twice
  }
  replace({ ...mine, seen: [...(mine.seen || []), id] });
  return true;
}

onReach((answered) => {
  if (!answered) return setState({ online: false });
  const was = store.state.online;
  setState({ online: true });
  return was || kick();
});
const tryNow = () => { pause = 1000; kick(); };
session.onToken(tryNow);
addEventListener("online", tryNow);
document.addEventListener("visibilitychange", () => adopt().catch(() => {}));
addEventListener("offline", () => setState({ online: false }));

/** Changes that the request makes are the user's own, although it is not a write of the queue. */
const own = (requestId) => over.add(requestId);

/** Resolves when what waits from earlier is known. */
const ready = () => begun;

export const queue = { write, kick, ready, own,
  /** Settles a conflict: "mine" or "theirs" shall be the task. */
  resolve: async (conflict, choice) => (await settling()).resolve(conflict, choice, line).then(kick),
  /** Sends a write that was set aside again, or gives it up. */
  sendAgain: async (stuck) => (await settling()).sendAgain(stuck, line).then(kick),
  giveUp: async (stuck) => (await settling()).giveUp(stuck, line).then(kick) };
