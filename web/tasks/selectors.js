// What lists and counts show of the tasks. Everything is kept by difference: a change of one task moves one place in a
// sorted array and changes a few numbers, however many tasks there are.
import { useLayoutEffect, useMemo, useReducer } from "/lib/preact.js";
import { dueDay, formatDay, localOf, today, zoneOf } from "../core/dates.js";
import { preferences } from "../core/preferences.js";
import { store } from "../core/store.js";

const many = 400; // from here on a new list is quicker than many moves
const noDate = "9999";
const ranks = { high: "1", medium: "2", low: "3" };

export const fold = (text) => text.toLowerCase().normalize("NFKD").replace(/\p{M}/gu, "");

const names = new Intl.Collator(undefined, { numeric: true });
let entries = new Map();
let day = today();
const lists = new Set();
const listeners = new Set();
const arrivals = new Set();

function entryOf(task) {
  const { state } = preferences;
  const due = dueDay(task, state);
  let clock = "";
  if (due && task.due_kind === "local") {
    clock = (task.time_zone === zoneOf(state.zone) || !task.due_date ? task.due_local : localOf(task.due_date, state.zone)).slice(10);
  } else if (due && task.due_kind === "instant") clock = localOf(task.due_date, state.zone).slice(10);
  return { id: task.id, task, day: due, due: due ? due + clock : noDate, text: null };
}

/** What a search looks at; made when it is first needed. */
function textOf(entry) {
  entry.text ??= fold([entry.task.title, ...entry.task.tags.map((tag) => `#${tag}`), entry.task.description || ""].join("\n"));
  return entry.text;
}

// Counts.

const zero = () => ({ all: 0, today: 0, overdue: 0, upcoming: 0, done: 0 });
let numbers = zero();
let tagCounts = new Map();
let counted = null;

function count({ task, day: due }, by) {
  counted = null;
  if (task.completed) {
    numbers.done += by;
    return;
  }
  numbers.all += by;
  if (due && due <= day) numbers.today += by;
  if (due && due < day) numbers.overdue += by;
  if (due && due > day) numbers.upcoming += by;
  for (const tag of task.tags) {
    const now = (tagCounts.get(tag) || 0) + by;
    if (now > 0) tagCounts.set(tag, now);
    else tagCounts.delete(tag);
  }
}

/** {all, today (overdue ones too), overdue, upcoming, done, tags: [{tag, count}]}; the same object until a number changes. */
export function counts() {
  counted ||= { ...numbers, tags: [...tagCounts].map(([tag, number]) => ({ tag, count: number }))
    .sort((one, other) => names.compare(one.tag, other.tag)) };
  return counted;
}

export function useCounts() {
  const [, redraw] = useReducer((number) => number + 1, 0);
  useLayoutEffect(() => {
    const listen = () => counted === null && redraw();
    listeners.add(listen);
    redraw();
    return () => listeners.delete(listen);
  }, []);
  return counts();
}

/** Calls `listen(task)` for each task that appears while the page is open, but not for those of a snapshot. */
export function onArrival(listen) {
  arrivals.add(listen);
  return () => arrivals.delete(listen);
}

// Lists.

const sorts = {
  due: { key: ({ due, task }) => `${due}|${ranks[task.priority]}` },
  priority: { key: ({ due, task }) => `${ranks[task.priority]}|${due}` },
  title: { key: ({ task }) => fold(task.title) },
  created: { key: ({ task }) => task.created_at || "~", desc: true },
  updated: { key: ({ task }) => task.updated_at || "~", desc: true },
  completed: { key: ({ task }) => task.completed_at || "", desc: true },
};

const groups = {
  none: { key: () => "", label: () => "" },
  date: {
    key: ({ day: due }) => (!due ? noDate : due < day ? "0" : due),
    label: (key, prefs) => (key === "0" ? "Overdue" : key === noDate ? "No date" : dayLabel(key, prefs)),
  },
  completed: {
    key: ({ task }) => (task.completed_at ? localOf(task.completed_at, preferences.state.zone).slice(0, 10) : day),
    label: (key, prefs) => dayLabel(key, prefs), desc: true,
  },
  priority: { key: ({ task }) => ranks[task.priority], label: (key) => ["", "High priority", "Medium priority", "Low priority"][key] },
  tag: { key: ({ task }) => (task.tags[0] ? ` ${task.tags[0]}` : "~"), label: (key) => (key === "~" ? "No tag" : `#${key.slice(1)}`) },
  state: { key: ({ task }) => (task.completed ? "2" : "1"), label: (key) => (key === "2" ? "Done" : "Open") },
};

function dayLabel(key, prefs) {
  const short = formatDay(key, prefs);
  const long = formatDay(key, prefs, { long: true });
  return ["Today", "Tomorrow", "Yesterday"].includes(short) ? `${short} · ${long}` : long;
}

/** Which entries a view shows. */
export function acceptsOf({ view, tag, words = [] }) {
  switch (view) {
    case "today": return ({ task, day: due }) => !task.completed && due !== null && due <= day;
    case "upcoming": return ({ task, day: due }) => !task.completed && due !== null && due > day;
    case "done": return ({ task }) => task.completed;
    case "tag": return ({ task }) => !task.completed && task.tags.includes(tag);
    case "search": return (entry) => words.length > 0 && words.every((word) => textOf(entry).includes(word));
    default: return ({ task }) => !task.completed;
  }
}

/** A sorted and grouped list. `items`: [{entry, g, k}], kept in order. */
export class TaskList {
  constructor({ accepts, sort, group }) {
    this.accepts = accepts;
    this.sort = sorts[sort] || sorts.due;
    this.group = groups[group] || groups.none;
    this.compare = this.compare.bind(this);
    this.rebuild();
  }

  compare(one, other) {
    if (one.g !== other.g) return (one.g < other.g ? -1 : 1) * (this.group.desc ? -1 : 1);
    if (one.k !== other.k) return (one.k < other.k ? -1 : 1) * (this.sort.desc ? -1 : 1);
    return Math.abs(one.entry.id) - Math.abs(other.entry.id);
  }

  itemOf(entry) {
    return { entry, g: this.group.key(entry), k: this.sort.key(entry) };
  }

  rebuild() {
    this.items = [];
    this.byId = new Map();
    for (const entry of entries.values()) {
      if (!this.accepts(entry)) continue;
      const item = this.itemOf(entry);
      this.items.push(item);
      this.byId.set(entry.id, item);
    }
    this.items.sort(this.compare);
    this.flat = null;
  }

  /** The first place that is not before `item`. */
  place(item) {
    let low = 0;
    let high = this.items.length;
    while (low < high) {
      const middle = (low + high) >> 1;
      if (this.compare(this.items[middle], item) < 0) low = middle + 1;
      else high = middle;
    }
    return low;
  }

  /** Where a task stands; -1: it is not in the list. */
  indexOf(id) {
    const item = this.byId.get(id);
    return item ? this.place(item) : -1;
  }

  /** Takes over the present state of one task. True: the list is another one. */
  adjust(id) {
    const entry = entries.get(id);
    const before = this.byId.get(id);
    const accepted = entry && this.accepts(entry);
    if (!before && !accepted) return false;
    if (before) {
      this.items.splice(this.place(before), 1);
      this.byId.delete(id);
    }
    if (accepted) {
      const item = this.itemOf(entry);
      this.items.splice(this.place(item), 0, item);
      this.byId.set(id, item);
    }
    this.flat = null;
    return true;
  }

  /** The rows as they are drawn: {key, head, label, count} or {key, task, position}. */
  rows(prefs) {
    if (this.flat && this.flatFor === prefs) return this.flat;
    const rows = [];
    let head = null;
    this.items.forEach(({ entry, g }, index) => {
      if (g !== "" && head?.group !== g) {
        head = { key: `head ${g}`, head: true, group: g, label: this.group.label(g, prefs), count: 0 };
        rows.push(head);
      }
      if (head) head.count += 1;
      rows.push({ key: entry.id, task: entry.task, position: index + 1 });
    });
    this.flat = rows;
    this.flatFor = prefs;
    return rows;
  }
}

/** A list of `spec` ({accepts, sort, group}) that stays right while the component is there. */
export function useTaskList(spec, inputs) {
  const list = useMemo(() => new TaskList(spec), inputs);
  const [, redraw] = useReducer((number) => number + 1, 0);
  useLayoutEffect(() => {
    list.redraw = redraw;
    list.rebuild();
    lists.add(list);
    redraw();
    return () => lists.delete(list);
  }, [list]);
  return list;
}

/** The open tasks that are overdue. */
export const overdueTasks = () => [...entries.values()].filter(({ task, day: due }) => !task.completed && due && due < day)
  .map(({ task }) => task);

/** All tags in use, with the most used ones first. */
export const allTags = () => [...tagCounts].sort((one, other) => other[1] - one[1]).map(([tag]) => tag);

// Following the store.

function rebuildAll() {
  day = today(preferences.state.zone);
  entries = new Map();
  numbers = zero();
  tagCounts = new Map();
  for (const task of store.state.tasks.values()) {
    const entry = entryOf(task);
    entries.set(task.id, entry);
    count(entry, 1);
  }
  counted = null;
  lists.forEach((list) => {
    list.rebuild();
    list.redraw();
  });
  listeners.forEach((listen) => listen());
}

function follow(ids) {
  if (ids === null || ids.size > many) return rebuildAll();
  const arrived = [];
  for (const id of ids) {
    const before = entries.get(id);
    const task = store.state.tasks.get(id);
    if (before) count(before, -1);
    if (task) {
      const entry = entryOf(task);
      entries.set(id, entry);
      count(entry, 1);
      if (!before && id > 0) arrived.push(task);
    } else entries.delete(id);
  }
  for (const list of lists) {
    let other = false;
    for (const id of ids) other = list.adjust(id) || other;
    if (other) list.redraw();
  }
  listeners.forEach((listen) => listen());
  arrived.forEach((task) => arrivals.forEach((listen) => listen(task)));
  return undefined;
}

store.onTasks(follow);
let { zone } = preferences.state;
preferences.subscribe((state) => {
  if (state.zone === zone) return;
  ({ zone } = state);
  rebuildAll();
});
setInterval(() => { if (today(preferences.state.zone) !== day) rebuildAll(); }, 20000);
rebuildAll();
