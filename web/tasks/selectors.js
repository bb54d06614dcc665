// The lists of tasks, in order. One sorted array of open tasks and one of done tasks are kept; a change moves only the tasks
// that it touched, so ten thousand tasks are not sorted for each event.
import { useMemo } from "/lib/preact.js";
import { addDays, dueDay, formatDay, today } from "../core/dates.js";
import { preferences, usePreferences } from "../core/preferences.js";
import { store, useStore } from "../core/store.js";

const last = "9999";
const ranks = { high: 0, medium: 1, low: 2 };
let zone = "";
let day = "";
const days = new WeakMap(); // task -> its day in `zone`

/** The day on which the task is due for this user; "" without one. */
export function dayOfTask(task) {
  let known = days.get(task);
  if (known === undefined) {
    known = dueDay(task, preferences.state) || "";
    days.set(task, known);
  }
  return known;
}

const time = (task) => (task.due_kind === "date" || !task.due_kind ? "" : task.due_date || task.due_local || "");
const text = (a, b) => (a < b ? -1 : a > b ? 1 : 0);
const collator = new Intl.Collator(undefined, { sensitivity: "base", numeric: true });
const byId = (a, b) => (a.id < 0) - (b.id < 0) || (a.id < 0 ? b.id - a.id : a.id - b.id);

const orders = {
  due: (a, b) => text(dayOfTask(a) || last, dayOfTask(b) || last) || text(time(a), time(b))
    || ranks[a.priority] - ranks[b.priority] || byId(a, b),
  priority: (a, b) => ranks[a.priority] - ranks[b.priority] || text(dayOfTask(a) || last, dayOfTask(b) || last) || byId(a, b),
  title: (a, b) => collator.compare(a.title, b.title) || byId(a, b),
  created: (a, b) => byId(b, a),
};
const byDone = (a, b) => text(b.completed_at || last, a.completed_at || last) || byId(b, a);

class Sorted {
  constructor(compare) {
    this.compare = compare;
    this.list = [];
    this.byId = new Map();
  }

  fill(tasks) {
    this.list = tasks.sort(this.compare);
    this.byId = new Map(tasks.map((task) => [task.id, task]));
  }

  place(task) {
    let low = 0;
    let high = this.list.length;
    while (low < high) {
      const middle = (low + high) >> 1;
      if (this.compare(this.list[middle], task) < 0) low = middle + 1;
      else high = middle;
    }
    return low;
  }

  set(id, task) {
    const before = this.byId.get(id);
    if (before === task) return;
    if (before) {
      let at = this.place(before);
      if (this.list[at] !== before) at = this.list.indexOf(before);
      this.list.splice(at, 1);
      this.byId.delete(id);
    }
    if (!task) return;
    this.list.splice(this.place(task), 0, task);
    this.byId.set(id, task);
  }
}

let order = "due";
let open = new Sorted(orders.due);
const done = new Sorted(byDone);
let tags = new Map(); // tag -> number of open tasks
let version = -1;

function rebuild() {
  const openTasks = [];
  const doneTasks = [];
  for (const task of store.state.tasks.values()) (task.completed ? doneTasks : openTasks).push(task);
  open = new Sorted(orders[order]);
  open.fill(openTasks);
  done.fill(doneTasks);
  tags = new Map();
  for (const task of openTasks) countTags(task, 1);
}

function countTags(task, by) {
  for (const tag of task?.tags || []) {
    const count = (tags.get(tag) || 0) + by;
    if (count > 0) tags.set(tag, count);
    else tags.delete(tag);
  }
}

store.onTasks((ids) => {
  if (ids === null) rebuild();
  else {
    for (const id of ids) {
      const task = store.state.tasks.get(id);
      countTags(open.byId.get(id), -1);
      open.set(id, task && !task.completed ? task : null);
      done.set(id, task?.completed ? task : null);
      countTags(open.byId.get(id), 1);
    }
  }
  version = store.version;
});

/** Another zone or another day moves tasks between the lists. */
function keepUp(prefs) {
  const present = today(prefs.zone);
  if (zone === prefs.zone && day === present) return;
  zone = prefs.zone;
  day = present;
  for (const task of store.state.tasks.values()) days.delete(task);
  rebuild();
}

/** All tags of open tasks: [{tag, count}], by name. */
export function allTags() {
  return [...tags].map(([tag, count]) => ({ tag, count })).sort((a, b) => collator.compare(a.tag, b.tag));
}

export function counts() {
  keepUp(preferences.state);
  const result = { all: open.list.length, today: 0, overdue: 0, upcoming: 0, done: done.list.length, tags: allTags() };
  for (const task of open.list) {
    const due = dayOfTask(task);
    if (!due) continue;
    if (due > day) result.upcoming += 1;
    else {
      result.today += 1;
      if (due < day) result.overdue += 1;
    }
  }
  return result;
}

export function useCounts() {
  const tasks = useStore((state) => state.tasks);
  const prefs = usePreferences();
  return useMemo(counts, [tasks, prefs.zone, today(prefs.zone)]);
}

const fold = (value) => value.toLowerCase().normalize("NFKD").replace(/\p{M}/gu, "");
const folded = new WeakMap();

function haystack(task) {
  let known = folded.get(task);
  if (known === undefined) {
    known = fold(`${task.title}\n${task.description || ""}\n${task.tags.map((tag) => `#${tag}`).join(" ")}`);
    folded.set(task, known);
  }
  return known;
}

function search(query) {
  const words = fold(query).split(/\s+/).filter(Boolean);
  if (words.length === 0) return [];
  const fits = (task) => words.every((word) => haystack(task).includes(word));
  return [...open.list.filter(fits), ...done.list.filter(fits).slice(0, 200)];
}

/** The tasks of a list, in order. */
function tasksOf(view, { tag, query }) {
  switch (view) {
    case "today": return open.list.filter((task) => dayOfTask(task) && dayOfTask(task) <= day);
    case "upcoming": return open.list.filter((task) => dayOfTask(task) > day);
    case "done": return done.list;
    case "tag": return open.list.filter((task) => task.tags.includes(tag));
    case "search": return search(query);
    default: return open.list;
  }
}

const priorityNames = { high: "High priority", medium: "Medium priority", low: "Low priority" };

function headOf(task, view, group, prefs) {
  if (view === "search") return task.completed ? "Done" : "Open";
  if (view === "done") return task.completed_at ? formatDay(task.completed_at.slice(0, 10), prefs) : "Just now";
  if (group === "priority") return priorityNames[task.priority];
  if (group === "tag") return task.tags[0] ? `#${task.tags[0]}` : "No tag";
  const due = dayOfTask(task);
  if (view === "today") return due < day ? "Overdue" : "Today";
  if (view === "upcoming") return upcomingHead(due, prefs);
  if (!due) return "No date";
  if (due < day) return "Overdue";
  return due === day ? "Today" : due <= addDays(day, 7) ? "Next 7 days" : "Later";
}

function upcomingHead(due, prefs) {
  const short = formatDay(due, prefs);
  const long = formatDay(due, prefs, { long: true });
  return /\d/.test(short) ? long : short === "Tomorrow" ? `Tomorrow · ${long}` : long;
}

/** The entries of a list: [{head, count}|{task}…]. `group`: "date", "priority", "tag" or "none". */
export function entriesOf(route, { sort, group }, prefs) {
  keepUp(prefs);
  if (sort !== order) {
    order = sort;
    rebuild();
  }
  const { view } = route;
  const tasks = tasksOf(view, { tag: route.tag, query: route.query.get("q") || "" });
  const grouped = view === "search" || view === "done" || view === "upcoming" || view === "today" || group !== "none";
  if (!grouped || tasks.length === 0) return { entries: tasks.map((task) => ({ task })), tasks };
  const groups = new Map();
  for (const task of tasks) {
    const head = headOf(task, view, group, prefs);
    const place = groups.get(head);
    if (place) place.push(task);
    else groups.set(head, [task]);
  }
  const entries = [];
  for (const [head, those] of groups) {
    if (groups.size > 1 || (head !== "Today" && head !== "No date" && head !== "Open")) entries.push({ head, count: those.length });
    for (const task of those) entries.push({ task });
  }
  return { entries, tasks };
}
