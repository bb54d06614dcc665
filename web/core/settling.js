// What becomes of a write that the server has not simply made. It waits and is sent again, it is taken back because the
// service refused it, it is held back for a conflict that the user settles, or it is set aside because it cannot be sent:
// no write is dropped without a word of the service or of the user.
//
// `line` is what queue.js lends: {writes, user(), tell(message), wait(error)}. Functions that settle return true when the
// next write may be sent.
import { ApiError, call, taskFromApi } from "./api.js";
import { newId } from "./browser.js";
import { stepsOf } from "./overlays.js";
import { realId, store } from "./store.js";
import { explainRefusal, explainStuck } from "./refusals.js";
import { alone, etagOf, passOn, renamed, setEtag, taskIdOf, versionOf, withRealIds } from "./write_request.js";

const mostTries = 5;
const waits = new Set(["offline", "unavailable", "deadline_exceeded", "unknown", "resource_exhausted", "canceled", "aborted", "unauthenticated"]);
const counts = new Set(["internal", "data_loss", "unimplemented"]);
const passing = new Set([401, 408, 425, 429]);

/**
 * What an error says about a write: "wait" (nothing), "count" (it may never be made), "conflict", "part" (of several
 * changes in one call, `error.metadata.index` is at fault) or "refused".
 */
export function verdictOf(write, error) {
  if (!(error instanceof ApiError)) return "wait";
  // A proxy or a network's own page refuses nothing: what it has not passed on may be passed on later, or never.
  if (error.foreign) return error.status >= 400 && error.status < 500 && !passing.has(error.status) ? "count" : "wait";
  if (counts.has(error.code)) return "count";
  if (error.reason !== "STALE_ETAG" && waits.has(error.code)) return "wait";
  const { changes } = write.request;
  if (changes && error.metadata.index !== undefined && stepsOf(write).length === changes.length) return "part";
  const deleted = error.code === "not_found" && write.method === "UpdateTask" && taskIdOf(write) > 0;
  return error.reason === "STALE_ETAG" || deleted ? "conflict" : "refused";
}

export async function failed(write, error, line) {
  if (!(error instanceof ApiError)) reportError(error);
  switch (verdictOf(write, error)) {
    case "count": return counted(write, error, line);
    case "conflict": return conflicting(write, error, line);
    case "part": return leaveOut(write, Number(error.metadata.index), error, line);
    case "refused": return refuse(write, error, line);
    default: return line.wait(error);
  }
}

/** Puts `changed` in the place of the stored write, if that still waits. */
const change = (line, changed) => line.writes().edit((stored) => ({
  put: stored.some(({ order }) => order === changed.order) ? [changed] : [] }));

/** Some tries more; then the write is set aside, and those behind it that do not need it go on. */
async function counted(write, error, line) {
  const tries = (write.tries || 0) + 1;
  if (tries < mostTries) {
    await change(line, { ...write, tries });
    return line.wait(error);
  }
  const stuck = { ...write, tries: 0, stuck: { requestId: write.requestId, label: write.label, text: explainStuck(error) } };
  await change(line, stuck);
  line.tell({ type: "held", write: stuck });
  return true;
}

/** Sends a write that was set aside again. The id of its request is the same: if it was made after all, it is not made twice. */
export async function sendAgain({ requestId }, line) {
  let again = null;
  await line.writes().edit((stored) => {
    const found = stored.find((each) => each.requestId === requestId && each.stuck);
    again = found && { ...found, stuck: undefined };
    return { put: again ? [again] : [] };
  });
  if (again) line.tell({ type: "held", write: again });
}

/** Gives up a write that was set aside, and with it those that need the task that it would have made. */
export async function giveUp({ requestId }, line) {
  let gone = [];
  await line.writes().edit((stored) => {
    const found = stored.find((each) => each.requestId === requestId);
    const made = found && stepsOf(found).find((step) => step.create && realId(step.create.id) < 0)?.create.id;
    gone = stored.filter((each) => each === found || (made && taskIdOf(each) === made));
    return { remove: gone.map(({ order }) => order) };
  });
  gone.forEach((each) => line.tell({ type: "dropped", requestId: each.requestId }));
}

export async function refuse(write, error, line) {
  await line.writes().edit(() => ({ remove: [write.order] }));
  line.tell({ type: "refused", requestId: write.requestId, text: explainRefusal(write, error) });
  return true;
}

/**
 * One of several changes was refused, and with it all of them: the others are sent again without it. A stale one becomes a
 * write of its own, which makes a conflict.
 */
async function leaveOut(write, index, error, line) {
  const stale = error.reason === "STALE_ETAG" ? alone(write, index) : null;
  const others = (list) => list.filter((each, at) => at !== index);
  const next = { ...write, requestId: newId(), optimistic: others(stepsOf(write)), parts: (write.parts || 0) + 1 };
  next.request = { ...write.request, requestId: next.requestId, changes: others(write.request.changes) };
  const last = next.request.changes.length === 0;
  await line.writes().edit((stored) => {
    if (!stored.some(({ order }) => order === write.order)) return {};
    const later = stored.filter(({ order }) => order > write.order);
    return { put: [...(last ? [] : [next]), ...(stale ? [stale] : []), ...renamed(later, write.requestId, next.requestId)],
      remove: last ? [write.order] : [] };
  });
  if (stale) line.tell({ type: "added", write: stale });
  const text = stale ? "" : explainRefusal({ ...write, label: `A part of “${write.label}”` }, error);
  if (last) line.tell(stale ? { type: "dropped", requestId: write.requestId } : { type: "refused", requestId: write.requestId, text });
  else line.tell({ type: "again", requestId: write.requestId, write: next, text });
  return true;
}

async function conflicting(write, error, line) {
  const user = line.user();
  try {
    const present = await ownState(write);
    if (user !== line.user()) return false;
    if (present) return await sendOn(write, present, line);
    return await hold(write, line);
  } catch (problem) {
    return user === line.user() && failed(write, problem, line);
  }
}

/** The task as it is, if nobody but the user's own changes of the series has touched it since the write; else null. */
async function ownState(write) {
  const expected = versionOf(etagOf(write));
  if (!write.after?.length || expected === null) return null;
  const { changes = [] } = await call("TodoService", "ListChanges", { taskId: taskIdOf(write), pageSize: 500 });
  const since = changes.filter(({ task }) => Number(task.version) > expected);
  const own = since.length > 0 && since.length < 500 && since.every(({ requestId }) => write.after.includes(requestId));
  return own && since.at(-1).eventType !== "deleted" ? taskFromApi(since.at(-1).task) : null;
}

/** Sends a write again on top of the state `task`, which the user has made. */
async function sendOn(write, task, line) {
  const next = againstState(write, task.etag);
  await line.writes().edit((stored) => {
    const later = stored.filter(({ order }) => order > write.order);
    return { put: stored.some(({ order }) => order === write.order) ? [next, ...renamed(later, write.requestId, next.requestId)] : [] };
  });
  line.tell({ type: "again", requestId: write.requestId, write: next, tasks: [task] });
  return true;
}

/** The write as another request: the same id with another etag would be a used name. */
function againstState(write, etag) {
  const next = { ...write, conflict: undefined, requestId: newId() };
  next.request = { ...write.request, requestId: next.requestId };
  setEtag(next, etag);
  return next;
}

/** Keeps a write back whose task was changed by somebody else, with both versions for the user. */
async function hold(write, line) {
  const user = line.user();
  const id = taskIdOf(write);
  const fields = stepsOf(write).find((step) => step.update !== undefined)?.fields || {};
  const theirs = await presentState(id);
  let mine = store.state.tasks.get(id) || null;
  const last = theirs || mine ? null : await lastState(id);
  if (last) mine = { ...last, ...fields };
  if (user !== line.user()) return false;
  if (!theirs && !mine) return refuse(write, new ApiError({ code: "not_found", message: "" }), line);
  const held = { ...withRealIds(write), conflict: { requestId: write.requestId, id, label: write.label, method: write.method,
    fields, mine, theirs } };
  await change(line, held);
  line.tell({ type: "held", write: held });
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
export async function resolve(conflict, choice, line) {
  const { requestId } = conflict;
  const tasks = conflict.theirs ? [conflict.theirs] : [];
  let message = { type: "dropped", requestId }; // settled in another tab
  let first = null;
  await line.writes().edit((stored) => {
    const held = stored.find((each) => each.requestId === requestId);
    if (!held) return {};
    const later = stored.filter(({ order }) => order > held.order);
    if (choice === "theirs") {
      message = { type: "dropped", requestId, tasks };
      return { put: passOn(later, tasks, true), remove: [held.order] };
    }
    const next = againstState(held, conflict.theirs?.etag);
    message = { type: "again", requestId, write: next, tasks };
    if (!conflict.theirs && conflict.mine) first = restoring(held);
    const follow = passOn(later, tasks, true);
    const rest = renamed(later.map((each) => follow.find(({ order }) => order === each.order) || each), requestId, next.requestId);
    const put = [next, ...follow.filter(({ order }) => !rest.some((each) => each.order === order)), ...rest];
    return { put: first ? [first, ...put] : put };
  });
  if (first) line.tell({ type: "added", write: first });
  line.tell(message);
}
