// The numbers of the usage view: ranges in the user's zone, calls, and what is read from the tasks in memory.
import { call } from "../core/api.js";
import { count } from "./parts.js";

const dayMs = 86400000;
export const ranges = [
  { id: "7", label: "7 days", days: 7 },
  { id: "30", label: "30 days", days: 30 },
  { id: "90", label: "90 days", days: 90 },
  { id: "year", label: "Year", days: 365 },
  { id: "custom", label: "Custom" },
];

const partsFormats = new Map();

function wallClock(at, zone) {
  if (!partsFormats.has(zone)) {
    partsFormats.set(zone, new Intl.DateTimeFormat("en-US", { timeZone: zone, hourCycle: "h23", year: "numeric",
      month: "numeric", day: "numeric", hour: "numeric", minute: "numeric", second: "numeric" }));
  }
  const parts = {};
  for (const { type, value } of partsFormats.get(zone).formatToParts(at)) parts[type] = Number(value);
  return Date.UTC(parts.year, parts.month - 1, parts.day, parts.hour, parts.minute, parts.second);
}

/** The day of `at` (milliseconds) in `zone`: "2026-11-27". */
export const dayOf = (at, zone) => new Date(wallClock(at, zone)).toISOString().slice(0, 10);

/** The day `days` after `day`. */
export const plusDays = (day,
  days) => new Date(Date.parse(`${day}T00:00:00Z`) + days * dayMs).toISOString().slice(0, 10);

/** The first moment of `day` in `zone`, in milliseconds, or that of a wall-clock time of the day. */
export function instantOf(day, zone, time = "00:00") {
  const wanted = Date.parse(`${day}T${time}:00Z`);
  const offset = (at) => wallClock(at, zone) - Math.floor(at / 1000) * 1000;
  const first = wanted - offset(wanted);
  return wanted - offset(first);
}

const bucketFor = (days) => (days <= 2 ? "HOUR" : days <= 120 ? "DAY" : days <= 800 ? "WEEK" : "MONTH");

/**
 * The range that the user chose: `{from, to, start, end, bucket, days}`, `from` and `to` as days, `to` in it, or
 * `{problem}` when the two days of a custom range are in the wrong order.
 */
export function rangeOf(choice, custom, zone, now = Date.now()) {
  const today = dayOf(now, zone);
  let from;
  let to = today;
  if (choice === "custom") {
    ({ from, to } = custom);
    if (!from || !to) return { problem: "Choose the first and the last day." };
    if (from > to) return { problem: "The first day must not be after the last one." };
    if (Date.parse(to) - Date.parse(from) > 3650 * dayMs) return { problem: "Choose ten years at most." };
  } else {
    from = plusDays(today, 1 - ranges.find((each) => each.id === choice).days);
  }
  const span = () => Math.round((Date.parse(to) - Date.parse(from)) / dayMs) + 1;
  const bucket = bucketFor(span());
  if (choice === "year") from = mondayOf(from);
  const days = span();
  const end = to >= today ? null : instantOf(plusDays(to, 1), zone);
  return { from, to, days, bucket, start: instantOf(from, zone), end };
}

function mondayOf(day) {
  return plusDays(day, -((new Date(`${day}T00:00:00Z`).getUTCDay() + 6) % 7));
}

const time = (ms) => new Date(ms).toISOString();

/**
 * The numbers of a range: points, totals, the period before, and parts by `breakdown` ("PRIORITY", "TAG", "SERIES").
 * `whose`: "" for the caller; an operator may ask for "*", all users.
 */
export async function fetchUsage(range, zone, breakdown, whose, signal) {
  const answer = await call("AnalyticsService", "GetUsage", {
    start: time(range.start), ...(range.end ? { end: time(range.end) } : {}), timeZone: zone, compare: true,
    ...(whose ? { userId: whose } : {}), bucket: `USAGE_BUCKET_${range.bucket}`,
      breakdown: `USAGE_BREAKDOWN_${breakdown}`,
  }, { signal, get: true });
  return {
    points: (answer.points || []).map((point) => ({
      start: Date.parse(point.start), end: Date.parse(point.end), unfinished: Boolean(point.unfinished),
        ...counts(point.counts),
    })),
    totals: totals(answer.totals), previous: totals(answer.previous),
    parts: (answer.parts || []).map((part) => ({ key: part.key || "", title: part.title || "", ...counts(part.counts),
      rate: rate(part), p50: part.completionTimes?.p50 || 0 })),
    open: count(answer.open), overdue: count(answer.overdue), streak: count(answer.streakDays),
    longest: count(answer.longestStreakDays), uncounted: count(answer.uncountedEvents),
    active: { day: count(answer.activeUsers?.day), week: count(answer.activeUsers?.week),
      month: count(answer.activeUsers?.month) },
  };
}

/** Completed tasks of each day of the 53 weeks up to today: `[{day, count}]`, and the longest streak in them. */
export async function fetchYear(zone, weekStart, whose, signal) {
  const today = dayOf(Date.now(), zone);
  const weekday = (new Date(`${today}T00:00:00Z`).getUTCDay() - weekStart + 7) % 7;
  const from = plusDays(today, -(52 * 7 + weekday));
  const answer = await call("AnalyticsService", "GetUsage",
    { start: time(instantOf(from, zone)), timeZone: zone, bucket: "USAGE_BUCKET_DAY",
      ...(whose ? { userId: whose } : {}) }, { signal, get: true });
  const days = (answer.points || [])
    .map((point, index) => ({ day: plusDays(from, index), count: counts(point.counts).completed }));
  return { days, longest: count(answer.longestStreakDays), streak: count(answer.streakDays) };
}

const rate = (from) => (from?.completionRate === undefined ? 0 : from.completionRate);

function counts(json) {
  return { created: count(json?.created), completed: count(json?.completed), uncompleted: count(json?.uncompleted),
    deleted: count(json?.deleted), updated: count(json?.updated) };
}

function totals(json) {
  return json && { ...counts(json.counts), rate: rate(json), p50: json.completionTimes?.p50 || 0,
    p90: json.completionTimes?.p90 || 0, timed: count(json.completionTimes?.count) };
}

/**
 * How many of `tasks` were open at the end of each point. Deleted tasks are not in memory, so they are in no number; a
 * task that was opened again counts as open since it was created.
 */
export function openAtEnds(tasks, points, now = Date.now()) {
  const created = [];
  const closed = [];
  for (const task of tasks) {
    if (task.skipped_at) continue;
    created.push(Date.parse(task.created_at));
    if (task.completed) closed.push(Date.parse(task.completed_at || task.updated_at));
  }
  const ascending = (a, b) => a - b;
  created.sort(ascending);
  closed.sort(ascending);
  let began = 0;
  let ended = 0;
  return points.map((point) => {
    const end = Math.min(point.end, now);
    while (began < created.length && created[began] < end) ++began;
    while (ended < closed.length && closed[ended] < end) ++ended;
    return began - ended;
  });
}

/**
 * The series among `tasks`: `[{id, title, done, streak, longest}]`, the longest present streak first. A streak is a row
 * of completed occurrences between which none was missed or skipped.
 */
export function seriesStreaks(tasks) {
  const series = new Map();
  for (const task of tasks) {
    if (!task.series_id) continue;
    if (!series.has(task.series_id)) series.set(task.series_id, []);
    series.get(task.series_id).push(task);
  }
  const rows = [];
  for (const [id, all] of series) {
    all.sort((a, b) => a.occurrence - b.occurrence);
    const row = { id, title: all[all.length - 1].title, task: all[all.length - 1].id, done: 0, streak: 0, longest: 0 };
    let before = 0;
    for (const task of all) {
      if (task.occurrence > before + 1 || task.missed_occurrences > 0) row.streak = 0;
      before = task.occurrence;
      if (task.skipped_at) row.streak = 0;
      if (!task.completed) continue;
      ++row.done;
      ++row.streak;
      row.longest = Math.max(row.longest, row.streak);
    }
    if (row.done > 0) rows.push(row);
  }
  return rows.sort((a, b) => b.streak - a.streak || b.done - a.done || (a.title < b.title ? -1 : 1));
}
