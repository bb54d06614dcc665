// Writes that the server has not confirmed. Each one is stored in IndexedDB before it is sent, with the id of its request,
// so it is made exactly once however often it is sent. They are sent in order, by one tab at a time (a Web Lock), which
// tells the others by BroadcastChannel. `write.conflict`: it waits until the user has settled that.
import { ApiError, call, onReach, taskFromApi } from "./api.js";
import { idsOf, stepsOf } from "./overlays.js";
import { nameTask, realId, setPending, setState, store, takeTasks, temporaryId } from "./store.js";
import { exclusively, newId } from "./browser.js";
import { session } from "./session.js";
import { passOn, setEtag, taskIdOf, withRealIds } from "./write_request.js";
import { explainRefusal } from "./refusals.js";
import { Writes } from "./writes.js";
import { toast } from "../ui/toast.js";

const retried = new Set(["offline", "unavailable", "deadline_exceeded", "unknown", "resource_exhausted", "canceled"]);
const waiting = new Map(); // request id -> resolve of the promise that write() gave
const over = new Set(); // request ids of settled writes: a queue that was read a moment before may still have them
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
const replace = (write) => setPending(pending().map((each) => (each.requestId === write.requestId ? write : each)));
const without = (requestId) => setPending(pending().filter((each) => each.requestId !== requestId));
const temporaryOf = (write) => stepsOf(write).find((step) => step.create?.id < 0)?.create.id;

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
  begin();
  for (const resolve of waiting.values()) resolve(null);
  waiting.clear();
}

/**
 * Makes a change: shows it at once, stores it and sends it. `etag: true` has it refused when the task was changed
 * meanwhile; a text is the state that the user has seen. `onStored()` is called when a closed tab cannot lose it any more.
 * Resolves with the task of the answer (with `queued: true` and the optimistic task while offline), the whole answer where
 * it is not a task, or null when the change was refused.
 */
async function write({ service, method, request, label = "", optimistic = null, etag = false, requestId = newId(), onStored }) {
  if (!userKey) return null;
  const user = userKey;
  const steps = (Array.isArray(optimistic) ? optimistic : optimistic ? [optimistic] : [])
    .map((step) => (step.create && !step.create.id ? { create: { ...step.create, id: temporaryId() } } : step));
  const made = withRealIds({ service: service || (/Reminder/.test(method) ? "ReminderService" : "TodoService"), method,
    request: { ...request, requestId }, label, optimistic: steps, requestId, at: Date.now(), etag: false });
  const id = taskIdOf(made);
  if (etag && id !== 0) {
    made.etag = true;
    setEtag(made, etag === true ? store.base(id)?.etag : etag);
  }
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
  if (sending || !writes || !navigator.onLine || pending().every((each) => each.conflict)) return;
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
 * The first write that no conflict holds up, neither its own nor that of a write before it on the same task. The stored
 * queue counts: another tab may have sent some meanwhile.
 */
async function nextWrite() {
  const held = new Set();
  for (const each of await writes.read()) {
    const ids = [...idsOf(each), taskIdOf(each)].filter((id) => id !== 0);
    if (!each.conflict && !ids.some((id) => held.has(id))) return each;
    ids.forEach((id) => held.add(id));
  }
  return null;
}

/** False: the queue has to wait. */
async function send(next) {
  const user = userKey;
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
  await writes.edit((stored) => (stored.some(({ order }) => order === next.order)
    ? { put: passOn(stored.filter(({ order }) => order > next.order), tasks), remove: [next.order], names } : {}));
  if (user !== userKey) return false;
  tell({ type: "done", requestId: next.requestId, tasks, names, answer: answersTask(next) ? null : answer, method: next.method });
  return true;
}

const answersTask = ({ service, method }) => service === "TodoService" && method !== "BatchUpdateTasks";

/** Puts `changed` in the place of the stored write, if that still waits. */
const change = (changed) => writes.edit((stored) => ({ put: stored.some(({ order }) => order === changed.order) ? [changed] : [] }));

async function failed(write, error) {
  const tries = (write.tries || 0) + 1;
  // Only the service refuses: whatever else fails on the way says nothing about the change.
  const own = error instanceof ApiError;
  if (!own) reportError(error);
  if (!own || retried.has(error.code) || (error.code === "aborted" && error.reason !== "STALE_ETAG")
    || error.code === "unauthenticated" || (error.code === "internal" && tries < 5)) {
    if (error.code === "internal") await change({ ...write, tries });
    if (error.code === "offline") setState({ online: false });
    pending().forEach(answerQueued);
    sendLater(error.retryAfterMs || pause);
    return false;
  }
  const deleted = error.code === "not_found" && write.method === "UpdateTask" && taskIdOf(write) > 0;
  if (error.reason === "STALE_ETAG" || deleted) return hold(write);
  const index = error.metadata?.index;
  if (index !== undefined && stepsOf(write).length > 1 && stepsOf(write).length === write.request.changes?.length) {
    return leaveOut(write, Number(index), error);
  }
  return refuse(write, error);
}

async function refuse(write, error) {
  await writes.edit(() => ({ remove: [write.order] }));
  tell({ type: "refused", requestId: write.requestId, text: explainRefusal(write, error) });
  return true;
}

/** One of several changes was refused, and with it all of them: the others are sent again without it. */
async function leaveOut(write, index, error) {
  const others = (list) => list.filter((each, at) => at !== index);
  const next = { ...write, requestId: newId(), optimistic: others(stepsOf(write)) };
  next.request = { ...write.request, requestId: next.requestId, changes: others(write.request.changes) };
  await change(next);
  tell({ type: "again", requestId: write.requestId, write: next,
    text: explainRefusal({ ...write, label: `A part of “${write.label}”` }, error) });
  return true;
}

/** Keeps a write back whose task was changed by somebody else, with both versions for the user. */
async function hold(write) {
  const user = userKey;
  const id = taskIdOf(write);
  const fields = stepsOf(write).find((step) => step.update !== undefined)?.fields || {};
  let theirs = null;
  let mine = store.state.tasks.get(id) || null;
  try {
    theirs = await presentState(id);
    const last = theirs || mine ? null : await lastState(id);
    if (last) mine = { ...last, ...fields };
  } catch (error) {
    return user === userKey && failed(write, error);
  }
  if (user !== userKey) return false;
  if (!theirs && !mine) return refuse(write, new ApiError({ code: "not_found", message: "" }));
  const held = { ...withRealIds(write), conflict: { requestId: write.requestId, id, label: write.label, method: write.method,
    fields, mine, theirs } };
  await change(held);
  tell({ type: "held", write: held });
  return true;
}

/** A task as the service has it; null when it is deleted. */
async function presentState(id) {
  try {
    return taskFromApi(await call("TodoService", "GetTask", { id }));
  } catch (error) {
    if (error.code === "not_found") return null;
    throw error;
  }
}

/** What a deleted task was; null when the user never had it. */
async function lastState(taskId) {
  const { changes = [] } = await call("TodoService", "ListChanges", { taskId, pageSize: 500 });
  return taskFromApi(changes.at(-1)?.task);
}

/** The write that brings a deleted task back before `held` changes it. */
function restoring(held) {
  const { id, mine } = held.conflict;
  const requestId = newId();
  return { service: "TodoService", method: "RestoreTask", request: { id, requestId }, requestId, label: held.label, etag: false,
    optimistic: [{ create: { ...mine, id } }], at: Date.now(), order: held.order - 0.5 };
}

/** Settles a conflict: "mine" is sent again on top of their version, "theirs" drops the own change. */
async function resolve(conflict, choice) {
  const { requestId } = conflict;
  const tasks = conflict.theirs ? [conflict.theirs] : [];
  let message = null;
  let first = null;
  await writes.edit((stored) => {
    const held = stored.find((each) => each.requestId === requestId);
    if (!held) return {}; // settled in another tab
    const later = passOn(stored.filter(({ order }) => order > held.order), tasks, true);
    if (choice === "theirs") {
      message = { type: "dropped", requestId, tasks };
      return { put: later, remove: [held.order] };
    }
    // The same id with another etag would be another request under a used name.
    const next = { ...held, conflict: undefined, requestId: newId() };
    next.request = { ...held.request, requestId: next.requestId };
    setEtag(next, conflict.theirs?.etag);
    message = { type: "again", requestId, write: next, tasks };
    if (!conflict.theirs && conflict.mine) first = restoring(held);
    return { put: first ? [first, next, ...later] : [next, ...later] };
  });
  if (first) tell({ type: "added", write: first });
  if (message) tell(message);
  else without(requestId);
  return kick();
}

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

/** The feed brought a change of the call `requestId`: its overlay on that task has done its work. */
export function seenInFeed(requestId, id, changeKind) {
  const mine = requestId && pending().find((each) => each.requestId === requestId);
  if (!mine) return false;
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

/** Resolves when what waits from earlier is known. */
const ready = () => begun;

export const queue = { write, resolve, kick, ready };
