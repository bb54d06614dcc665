// Writes that the server has not confirmed. Each one is stored in IndexedDB before it is sent, with the id of its request,
// so it is made exactly once however often it is sent. They are sent in order, by one tab at a time (a Web Lock), which
// tells the others by BroadcastChannel. `write.hold`: it waits for a conflict that the user has to settle.
import { ApiError, call, onReach, taskFromApi } from "./api.js";
import { idsOf, stepsOf } from "./overlays.js";
import { nameTask, realId, setPending, setState, store, takeTasks, temporaryId } from "./store.js";
import { withRealIds, setEtag, taskIdOf } from "./write_request.js";
import { explainRefusal } from "./refusals.js";
import { toast } from "../ui/toast.js";

const retried = new Set(["offline", "unavailable", "deadline_exceeded", "unknown", "resource_exhausted", "canceled"]);
const waiting = new Map(); // request id -> resolve of the promise that write() gave
let copy = null;
let channel = null;
let userKey = "";
let sending = false;
let again = false; // something was added while the last round ended
let pause = 1000;
let timer = 0;

const pending = () => store.state.pending;
const replace = (write) => setPending(pending().map((each) => (each.requestId === write.requestId ? write : each)));
const without = (requestId) => setPending(pending().filter((each) => each.requestId !== requestId));

/** Begins with the queue that `theCopy` of the user holds. */
export async function startQueue(theCopy, key) {
  copy = theCopy;
  userKey = key;
  channel = new BroadcastChannel(`todo.queue.${key}`);
  channel.onmessage = ({ data }) => hear(data);
  setPending(await copy.readWrites());
  kick();
}

export function stopQueue() {
  clearTimeout(timer);
  channel?.close();
  channel = copy = null;
  userKey = "";
  for (const resolve of waiting.values()) resolve(null);
  waiting.clear();
}

/**
 * Makes a change: shows it at once, stores it and sends it. `etag: true` has it refused when the task was changed
 * meanwhile. Resolves with the task of the answer (with `queued: true` and the optimistic task while offline), the whole
 * answer where it is not a task, or null when the change was refused.
 */
async function write({ service, method, request, label = "", optimistic = null, etag = false }) {
  if (!copy) return null;
  const requestId = crypto.randomUUID();
  const steps = (Array.isArray(optimistic) ? optimistic : optimistic ? [optimistic] : [])
    .map((step) => (step.create && !step.create.id ? { create: { ...step.create, id: temporaryId() } } : step));
  const made = { service: service || (/Reminder/.test(method) ? "ReminderService" : "TodoService"), method,
    request: { ...request, requestId }, label, optimistic: steps, requestId, at: Date.now(), etag: false };
  const id = taskIdOf(made);
  if (etag && id > 0) {
    made.etag = true;
    setEtag(made, store.base(id)?.etag);
  }
  setPending([...pending(), made]);
  const result = new Promise((resolve) => waiting.set(requestId, resolve));
  const user = userKey;
  try {
    made.order = await copy.addWrite(made);
  } catch {
    without(requestId);
    toast({ text: "This browser could not store the change. Free some space, then try again." });
    return null;
  }
  if (user !== userKey) return null;
  channel.postMessage({ type: "added", write: made });
  if (!store.state.online) answerQueued(made);
  kick();
  return result;
}

/** The promise of a write that has to wait is settled with what is shown. */
function answerQueued(made) {
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
  if (sending || !copy || !navigator.onLine || pending().every((each) => each.conflict)) return;
  sending = true;
  const user = userKey;
  try {
    await navigator.locks.request(`todo.send.${user}`, async () => {
      while (user === userKey && copy) {
        const next = await nextWrite();
        if (!next || !(await send(next))) break;
      }
    });
  } catch (error) {
    reportError(error);
  } finally {
    sending = false;
  }
  if (again) kick();
}

/** The first write that no conflict holds up. The stored queue counts: another tab may have sent some meanwhile. */
async function nextWrite() {
  const stored = await copy.readWrites();
  const held = new Set(stored.filter((each) => each.conflict).flatMap(idsOf));
  return stored.find((each) => !each.conflict && !idsOf(each).some((id) => held.has(id)));
}

/** False: the queue has to wait. */
async function send(next) {
  const user = userKey;
  let answer;
  try {
    answer = await call(next.service, next.method, withRealIds(next).request);
  } catch (error) {
    if (user !== userKey) return false;
    return failed(next, error);
  }
  if (user !== userKey) return false;
  pause = 1000;
  const tasks = answersTask(next) ? [taskFromApi(answer)] : (answer.tasks || []).map(taskFromApi);
  await passEtags(next, tasks);
  await copy.changeWrites([], [next.order]);
  tell({ type: "done", requestId: next.requestId, tasks, answer: answersTask(next) ? null : answer, method: next.method });
  return true;
}

const answersTask = ({ service, method }) => service === "TodoService" && method !== "BatchUpdateTasks";

/** Later writes of the same task were made on top of this one, so they expect the state that it left. */
async function passEtags(sent, tasks) {
  const temporary = stepsOf(sent).find((step) => step.create?.id < 0)?.create.id;
  const stored = (await copy.readWrites()).filter((each) => each.order > sent.order);
  const changedOnes = [];
  for (let each of stored) {
    const before = JSON.stringify(each.request);
    if (temporary && tasks[0]) {
      nameTask(temporary, tasks[0].id);
      each = withRealIds(each);
    }
    const task = tasks.find(({ id }) => id === taskIdOf(each));
    if (each.etag && task) setEtag(each, task.etag);
    if (JSON.stringify(each.request) !== before) changedOnes.push(each);
  }
  if (changedOnes.length) await copy.changeWrites(changedOnes);
}

async function failed(write, error) {
  if (!(error instanceof ApiError)) reportError(error);
  const tries = (write.tries || 0) + 1;
  if (retried.has(error.code) || (error.code === "aborted" && error.reason !== "STALE_ETAG") || error.code === "unauthenticated"
    || (error.code === "internal" && tries < 5)) {
    if (error.code === "internal") await copy.changeWrites([{ ...write, tries }]);
    if (error.code === "offline") setState({ online: false });
    pending().forEach(answerQueued);
    timer = setTimeout(kick, error.retryAfterMs || pause);
    pause = Math.min(2 * pause, 30000);
    return false;
  }
  if (error.reason === "STALE_ETAG") return hold(write);
  await copy.changeWrites([], [write.order]);
  tell({ type: "refused", requestId: write.requestId, text: explainRefusal(write, error) });
  return true;
}

/** Keeps a write back whose task was changed by somebody else, with both versions for the user. */
async function hold(write) {
  const id = taskIdOf(write);
  let theirs = null;
  try {
    theirs = taskFromApi(await call("TodoService", "GetTask", { id }));
  } catch (error) {
    if (error.code !== "not_found") return failed(write, error);
  }
  const mine = store.state.tasks.get(id) || null;
  const held = { ...withRealIds(write), conflict: { requestId: write.requestId, id, label: write.label, method: write.method,
    fields: stepsOf(write).find((step) => step.update !== undefined)?.fields || {}, mine, theirs } };
  await copy.changeWrites([held]);
  tell({ type: "held", write: held });
  return true;
}

/** Settles a conflict: "mine" is sent again on top of their version, "theirs" drops the own change. */
async function resolve(conflict, choice) {
  const held = (await copy.readWrites()).find((each) => each.requestId === conflict.requestId);
  if (!held) return without(conflict.requestId);
  if (choice === "theirs") {
    await passEtags(held, conflict.theirs ? [conflict.theirs] : []);
    await copy.changeWrites([], [held.order]);
    tell({ type: "dropped", requestId: held.requestId, tasks: conflict.theirs ? [conflict.theirs] : [] });
  } else {
    // The same id with another etag would be another request under a used name.
    const again = { ...held, conflict: undefined, requestId: crypto.randomUUID() };
    again.request = { ...held.request, requestId: again.requestId };
    setEtag(again, conflict.theirs?.etag);
    await copy.changeWrites([again]);
    tell({ type: "again", requestId: held.requestId, write: again, tasks: conflict.theirs ? [conflict.theirs] : [] });
  }
  return kick();
}

function tell(message) {
  channel?.postMessage(message);
  hear(message);
}

/** What this tab or another one has done with the queue. */
function hear({ type, requestId, write: changed, tasks = [], answer, text }) {
  const mine = pending().find((each) => each.requestId === (requestId || changed?.requestId));
  if (type === "added" && !mine) {
    setPending([...pending(), changed]);
    kick();
  } else if (type === "done") {
    const temporary = mine && stepsOf(mine).find((step) => step.create?.id < 0)?.create.id;
    if (temporary && tasks[0]) nameTask(temporary, tasks[0].id);
    // A removed task must not come back by its own last state.
    const gone = mine ? stepsOf(mine).filter((step) => step.remove !== undefined).map((step) => realId(step.remove)) : [];
    takeTasks(tasks.map((task) => [task.id, gone.includes(task.id) ? null : task])
      .filter(([id]) => !mine?.seen?.includes(id)), { own: true });
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
    if (type === "dropped") without(requestId);
    else setPending(pending().map((each) => (each.requestId === requestId ? changed : each)));
  }
}

/** The feed brought a change of the call `requestId`: its overlay on that task has done its work. */
export function seenInFeed(requestId, id, change) {
  const mine = requestId && pending().find((each) => each.requestId === requestId);
  if (!mine) return false;
  const temporary = stepsOf(mine).find((step) => step.create?.id < 0)?.create.id;
  if (temporary && change === "created") nameTask(temporary, id);
  replace({ ...mine, seen: [...(mine.seen || []), id] });
  return true;
}

onReach((answered) => {
  if (!answered) return setState({ online: false });
  const was = store.state.online;
  setState({ online: true });
  return was || kick();
});
addEventListener("online", () => { pause = 1000; kick(); });
addEventListener("offline", () => setState({ online: false }));

export const queue = { write, resolve, kick };
