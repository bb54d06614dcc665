// The state of the page: the tasks as the feed tells them (`base`), with the pending writes laid over them (`tasks`).
//
// `state.tasks` reads like a Map. Each change makes a new one for Object.is, but all share the data: a change of one task
// costs the same with ten tasks and with ten thousand. Who keeps an index listens with `onTasks` and adjusts it by
// `changedIds`.
import { useLayoutEffect, useReducer, useRef } from "/lib/preact.js";
import { applyTo, idsOf } from "./overlays.js";

class Tasks {
  #data;
  constructor(data) { this.#data = data; }
  get size() { return this.#data.size; }
  get(id) { return this.#data.get(id); }
  has(id) { return this.#data.has(id); }
  keys() { return this.#data.keys(); }
  values() { return this.#data.values(); }
  entries() { return this.#data.entries(); }
  forEach(run) { this.#data.forEach((task, id) => run(task, id, this)); }
  [Symbol.iterator]() { return this.#data.entries(); }
}

let base = new Map();
let shown = new Map();
const fresh = () => ({ tasks: new Tasks(shown), seq: 0, ready: false, online: navigator.onLine, connection: "connecting",
  pending: [], conflicts: [], stuck: [], lastChange: null });
let state = fresh();
let changed = new Set(); // since the last notice; null: all
const listeners = new Set();
const taskListeners = new Set();
const removed = new Map(); // id -> the version that a deleted task had at least: a repeated answer must not bring it back
const realIds = new Map(); // temporary id -> the id that the server gave
const firstIds = new Map(); // and back
let noticePlanned = false;
let lastNotice = 0;

export const store = {
  get state() { return state; },
  version: 0,
  /** The ids that the last change touched; null: any task may have changed. */
  changedIds: new Set(),
  /** Calls `listen(state)` after changes. */
  subscribe(listen) {
    listeners.add(listen);
    return () => listeners.delete(listen);
  },
  /** Calls `listen(changedIds)` (null: all) before the other listeners, once for each change of tasks. */
  onTasks(listen) {
    taskListeners.add(listen);
    return () => taskListeners.delete(listen);
  },
  /** The task as the feed tells it, without pending writes. */
  base: (id) => base.get(realId(id)),
  baseTasks: () => base,
  realId,
  /** The id that a task had first in this tab: what is drawn under it stays the same when the server gives another. */
  firstId: (id) => firstIds.get(id) ?? id,
};

/** The server's id of a task that was made here; any other id stays. */
export function realId(id) {
  return realIds.get(id) ?? id;
}

let lastTemporary = 0;

/** A negative id for a task that the server does not know yet, unlike that of any other tab. */
export function temporaryId() {
  lastTemporary = Math.min(lastTemporary - 1, -(Date.now() * 1000 + Math.floor(Math.random() * 1000)));
  return lastTemporary;
}

/** Merges `fields` into the state. */
export function setState(fields) {
  const names = Object.keys(fields);
  if (names.every((name) => Object.is(state[name], fields[name]))) return;
  state = { ...state, ...fields };
  plan(true);
}

/** Makes the notice now, or at the end of a burst of changes. */
function plan(soon) {
  if (noticePlanned) return;
  noticePlanned = true;
  if (soon || performance.now() - lastNotice > 60) queueMicrotask(notify);
  else setTimeout(notify, 40);
}

function notify() {
  noticePlanned = false;
  lastNotice = performance.now();
  const ids = changed;
  changed = new Set();
  if (ids === null || ids.size > 0) {
    store.version += 1;
    store.changedIds = ids;
    state = { ...state, tasks: new Tasks(shown) };
    run(taskListeners, ids);
  }
  run(listeners, state);
}

function run(those, argument) {
  for (const listen of [...those]) {
    try {
      listen(argument);
    } catch (error) {
      reportError(error);
    }
  }
}

/** Computes anew what is shown of the tasks. */
function refresh(ids) {
  for (const id of ids) {
    const task = applyTo(id, base.get(id) || null, state.pending);
    if (task) shown.set(id, task);
    else shown.delete(id);
    changed?.add(id);
  }
}

/** Takes tasks of the feed or of an answer: [[id, task|null]…]. An older version than the present one changes nothing. */
export function takeTasks(entries, { own = false, change = null } = {}) {
  const ids = [];
  for (const [id, task] of entries) {
    const present = base.get(id);
    if (task && present && present.version > task.version) continue;
    if (task && present && present.version === task.version && own) continue;
    if (task && own && !present && task.version <= removed.get(id)) continue;
    if (task) base.set(id, task);
    else if (base.delete(id)) removed.set(id, present.version);
    ids.push(id);
  }
  if (change) state = { ...state, ...change };
  refresh(ids);
  plan(own);
  return ids;
}

/** Replaces all tasks: of the copy, or of a snapshot. Tasks of the same version stay the same objects. */
export function replaceTasks(tasks, fields = {}) {
  for (const [id, task] of tasks) {
    const present = base.get(id);
    if (present && present.version === task.version && present.seq === task.seq && present.updated_at === task.updated_at) tasks.set(id, present);
  }
  base = tasks;
  removed.clear();
  shown = new Map(base);
  changed = null;
  state = { ...state, ...fields, tasks: new Tasks(shown) };
  refresh(state.pending.flatMap((write) => idsOf(write)));
  // In a turn of its own: with many tasks the lists take as long as what has been done here.
  if (!noticePlanned) {
    noticePlanned = true;
    setTimeout(notify);
  }
}

/** Replaces the pending writes; what they touch is computed anew. */
export function setPending(pending) {
  const ids = new Set([...state.pending, ...pending].flatMap((write) => idsOf(write)));
  const those = (name) => pending.map((write) => write[name]).filter(Boolean);
  state = { ...state, pending, conflicts: those("conflict"), stuck: those("stuck") };
  refresh(ids);
  plan(true);
}

/** From now on the temporary id means `id`, in whatever is pending. */
export function nameTask(temporary, id) {
  if (realIds.has(temporary)) return;
  realIds.set(temporary, id);
  firstIds.set(id, temporary);
  shown.delete(temporary);
  changed?.add(temporary);
  refresh([id]);
  plan(true);
}

/** Forgets everything: another user comes. */
export function resetStore() {
  base = new Map();
  shown = new Map();
  removed.clear();
  realIds.clear();
  firstIds.clear();
  changed = null;
  const { online } = state;
  state = { ...fresh(), online };
  plan(true);
}

/** A value of the state in a component, which is drawn again only when that value changes (Object.is). */
export function useStore(selector = (all) => all) {
  const [, redraw] = useReducer((count) => count + 1, 0);
  const now = useRef();
  now.current = { selector, value: selector(state) };
  useLayoutEffect(() => {
    const look = () => {
      const { selector: select, value } = now.current;
      if (!Object.is(select(state), value)) redraw();
    };
    look();
    return store.subscribe(look);
  }, []);
  return now.current.value;
}
