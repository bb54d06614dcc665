// Rules (RFC 5545) as the fields of a form, and back. What a form cannot show stays as text.

export const dayNames = ["MO", "TU", "WE", "TH", "FR", "SA", "SU"];

/** "FREQ=WEEKLY;BYDAY=MO,FR" as {FREQ: "WEEKLY", BYDAY: "MO,FR"}. */
export function partsOf(rule) {
  return Object.fromEntries(String(rule || "").replace(/^RRULE:/i, "").split(";").filter(Boolean).map((part) => part.toUpperCase().split("=")));
}

// The rules that single words stand for.
const words = { DAILY: "FREQ=DAILY", WEEKLY: "FREQ=WEEKLY", WEEKDAYS: "FREQ=WEEKLY;BYDAY=MO,TU,WE,TH,FR",
  MONTHLY: "RSCALE=GREGORIAN;FREQ=MONTHLY;SKIP=BACKWARD", YEARLY: "RSCALE=GREGORIAN;FREQ=YEARLY;SKIP=BACKWARD" };

const names = new Set(["RSCALE", "SKIP", "FREQ", "INTERVAL", "BYDAY", "BYMONTHDAY", "COUNT", "UNTIL", "WKST", "BYMONTH"]);

/**
 * The form for a rule: {freq, interval, days, monthly, monthDay, nth, nthDay, end, count, until, backward}; null: it has no
 * form. `backward`: in a month without that day, its last one takes the place.
 */
export function formOf(rule, day) {
  const parts = partsOf(words[String(rule || "").trim().toUpperCase()] || rule);
  const weekday = dayNames[(new Date(`${day}T00:00:00Z`).getUTCDay() + 6) % 7];
  const form = { freq: "WEEKLY", interval: 1, days: [weekday], monthly: "day", monthDay: Number(day.slice(8, 10)),
    nth: Math.min(4, Math.ceil(Number(day.slice(8, 10)) / 7)), nthDay: weekday, end: "never", count: 10, until: "", backward: true };
  if (!rule) return form;
  if (Object.keys(parts).some((name) => !names.has(name)) || !["DAILY", "WEEKLY", "MONTHLY", "YEARLY"].includes(parts.FREQ)) return null;
  if (parts.BYMONTH && parts.FREQ !== "YEARLY") return null;
  const byMonths = parts.FREQ === "MONTHLY" || parts.FREQ === "YEARLY";
  if ((parts.RSCALE || "GREGORIAN") !== "GREGORIAN" || (parts.SKIP && !(byMonths && parts.SKIP === "BACKWARD"))) return null;
  Object.assign(form, { freq: parts.FREQ, interval: Number(parts.INTERVAL || 1), backward: !byMonths || Boolean(parts.SKIP) });
  if (parts.COUNT) Object.assign(form, { end: "count", count: Number(parts.COUNT) });
  if (parts.UNTIL) Object.assign(form, { end: "until", until: `${parts.UNTIL.slice(0, 4)}-${parts.UNTIL.slice(4, 6)}-${parts.UNTIL.slice(6, 8)}` });
  if (parts.FREQ === "WEEKLY") {
    if (parts.BYMONTHDAY) return null;
    if (parts.BYDAY) form.days = parts.BYDAY.split(",");
    return form.days.every((each) => dayNames.includes(each)) ? form : null;
  }
  if (parts.FREQ === "MONTHLY") return monthlyForm(form, parts);
  if (parts.BYDAY || (parts.FREQ === "DAILY" && parts.BYMONTHDAY)) return null;
  return form;
}

function monthlyForm(form, { BYDAY: byDay, BYMONTHDAY: byMonthDay }) {
  if (byDay && byMonthDay) return null;
  if (byMonthDay) return /^(-1|\d{1,2})$/.test(byMonthDay) ? { ...form, monthly: "day", monthDay: Number(byMonthDay) } : null;
  if (!byDay) return form;
  const [, nth, day] = /^(-1|[1-5])([A-Z]{2})$/.exec(byDay) || [];
  return nth ? { ...form, monthly: "nth", nth: Number(nth), nthDay: day } : null;
}

/** The rule of a form. */
export function ruleOf(form) {
  const { backward, freq, monthly, monthDay } = form;
  const skip = backward && (freq === "YEARLY" || (freq === "MONTHLY" && monthly === "day" && monthDay > 28));
  const parts = skip ? ["RSCALE=GREGORIAN", `FREQ=${freq}`] : [`FREQ=${freq}`];
  if (form.interval > 1) parts.push(`INTERVAL=${form.interval}`);
  if (form.freq === "WEEKLY" && form.days.length) parts.push(`BYDAY=${dayNames.filter((each) => form.days.includes(each)).join(",")}`);
  if (form.freq === "MONTHLY") parts.push(form.monthly === "day" ? `BYMONTHDAY=${form.monthDay}` : `BYDAY=${form.nth}${form.nthDay}`);
  if (form.end === "count") parts.push(`COUNT=${Math.max(1, form.count)}`);
  if (form.end === "until" && form.until) parts.push(`UNTIL=${form.until.replaceAll("-", "")}`);
  if (skip) parts.push("SKIP=BACKWARD");
  return parts.join(";");
}
