// Days as "2026-11-27" and times in the user's zone and format. Words for rules and for what the user typed come from the
// server; this file writes plain dates only.

const formatters = new Map();

function formatter(locale, options) {
  const key = locale + JSON.stringify(options);
  if (!formatters.has(key)) formatters.set(key, new Intl.DateTimeFormat(locale, options));
  return formatters.get(key);
}

// Making a formatter and asking for the browser's zone take long, and a list asks for each task.
let ownZone = "";
const validZones = new Map();
const dayFormatters = new Map();
const clockFormatters = new Map();

/** `zone`, or the browser's when it does not know that one. */
export function zoneOf(zone) {
  if (zone) {
    const known = validZones.get(zone);
    if (known) return known;
  }
  ownZone ||= Intl.DateTimeFormat().resolvedOptions().timeZone || "UTC";
  if (!zone) return ownZone;
  try {
    new Intl.DateTimeFormat("en", { timeZone: zone });
    validZones.set(zone, zone);
  } catch {
    validZones.set(zone, ownZone);
  }
  return validZones.get(zone);
}

function ofZone(kept, zone, options) {
  let known = kept.get(zone);
  if (!known) {
    known = new Intl.DateTimeFormat(kept === dayFormatters ? "en-CA" : "en-GB", { timeZone: zoneOf(zone), ...options });
    kept.set(zone, known);
  }
  return known;
}

const dayOptions = { year: "numeric", month: "2-digit", day: "2-digit" };
const clockOptions = { ...dayOptions, hour: "2-digit", minute: "2-digit", second: "2-digit", hourCycle: "h23" };

/** The day of an instant in a zone. */
export function dayOf(instant, zone) {
  return ofZone(dayFormatters, zone, dayOptions).format(typeof instant === "number" ? instant : Date.parse(instant));
}

/** Today's day in the zone. */
export const today = (zone) => dayOf(Date.now(), zone);

const utc = (day) => Date.parse(`${day.slice(0, 10)}T00:00:00Z`);

export function addDays(day, count) {
  return new Date(utc(day) + count * 86400000).toISOString().slice(0, 10);
}

/** Whole days from `from` to `to`. */
export const daysBetween = (from, to) => Math.round((utc(to) - utc(from)) / 86400000);

/** 0 for Sunday to 6 for Saturday. */
export const weekday = (day) => new Date(utc(day)).getUTCDay();

/** The next day (after `day`) with this weekday. */
export function nextWeekday(day, wanted) {
  return addDays(day, ((wanted - weekday(day) + 6) % 7) + 1);
}

/** The first day of the week that holds `day`; `weekStart` is 0 (Sunday), 1 or 6. */
export function startOfWeek(day, weekStart = 1) {
  return addDays(day, -((weekday(day) - weekStart + 7) % 7));
}

/** The day on which a task is due, for the user's zone; null without a due date. */
export function dueDay(task, prefs) {
  if (!task.due_kind) return null;
  if (task.due_kind === "date") return task.due_local;
  const zone = zoneOf(prefs?.zone);
  if (task.due_kind === "local" && (task.time_zone === zone || !task.due_date)) return task.due_local.slice(0, 10);
  return task.due_date ? dayOf(task.due_date, zone) : null;
}

/** Whether the due date has passed: a day when it is over, a time when it is past. */
export function isOverdue(task, prefs, now = Date.now()) {
  if (!task.due_kind || task.completed) return false;
  if (task.due_kind === "date") return task.due_local < dayOf(now, prefs?.zone);
  return task.due_date ? Date.parse(task.due_date) < now : false;
}

const localeOf = (prefs) => (prefs?.dateOrder === "month" ? "en-US" : "en-GB");

/** "Today", "Tomorrow", "Friday" within a week, else "12 Dec", with the year when it is another one. */
export function formatDay(day, prefs, { long = false } = {}) {
  const present = today(prefs?.zone);
  const distance = daysBetween(present, day);
  if (!long) {
    if (distance === 0) return "Today";
    if (distance === 1) return "Tomorrow";
    if (distance === -1) return "Yesterday";
    if (distance > 1 && distance < 7) return formatter("en-GB", { weekday: "long", timeZone: "UTC" }).format(utc(day));
  }
  const year = day.slice(0, 4) === present.slice(0, 4) ? {} : { year: "numeric" };
  const options = { day: "numeric", month: long ? "long" : "short", timeZone: "UTC", ...(long ? { weekday: "long" } : {}), ...year };
  return formatter(localeOf(prefs), options).format(utc(day));
}

/** "18:30" or "6:30 pm" of a wall clock "2026-11-27T18:30:00". */
export function formatClock(local, prefs) {
  const [hours, minutes] = local.slice(11, 16).split(":").map(Number);
  if (!prefs?.hour12) return local.slice(11, 16);
  return `${hours % 12 || 12}${minutes ? `:${String(minutes).padStart(2, "0")}` : ""} ${hours < 12 ? "am" : "pm"}`;
}

/** The wall clock of an instant in a zone: "2026-11-27T18:30:00". */
export function localOf(instant, zone) {
  const parts = ofZone(clockFormatters, zone, clockOptions).formatToParts(typeof instant === "number" ? instant : Date.parse(instant));
  const part = (type) => parts.find((each) => each.type === type).value;
  return `${part("year")}-${part("month")}-${part("day")}T${part("hour")}:${part("minute")}:${part("second")}`;
}

/** The due date of a task in words: "Today 18:30"; empty without one. */
export function formatDue(task, prefs) {
  const day = dueDay(task, prefs);
  if (!day) return "";
  if (task.due_kind === "date") return formatDay(day, prefs);
  const local = task.due_kind === "local" && task.time_zone === zoneOf(prefs?.zone) ? task.due_local
    : task.due_date ? localOf(task.due_date, prefs?.zone) : task.due_local;
  return `${formatDay(day, prefs)} ${formatClock(local, prefs)}`;
}

/** An instant as day and time: "27 Nov, 18:30". */
export function formatInstant(instant, prefs) {
  const local = localOf(instant, prefs?.zone);
  return `${formatDay(local.slice(0, 10), prefs)}, ${formatClock(local, prefs)}`;
}
