// Rules (RFC 5545) as the fields of a form, and back. What a form cannot show stays as text.

export const dayNames = ["MO", "TU", "WE", "TH", "FR", "SA", "SU"];

/** "FREQ=WEEKLY;BYDAY=MO,FR" as {FREQ: "WEEKLY", BYDAY: "MO,FR"}. */
export function partsOf(rule) {
  return Object.fromEntries(String(rule || "").replace(/^RRULE:/i, "").split(";").filter(Boolean).map((part) => part.toUpperCase().split("=")));
}

const plain = { DAILY: "FREQ=DAILY", WEEKLY: "FREQ=WEEKLY", WEEKDAYS: "FREQ=WEEKLY;BYDAY=MO,TU,WE,TH,FR" };
// Of the 29th and later these words mean the last day of a shorter month, which the form does not know.
const plainUntil28 = { MONTHLY: "FREQ=MONTHLY", YEARLY: "FREQ=YEARLY" };

/** The rule that a word such as "weekly" stands for; other texts as they are. */
function written(rule, day) {
  const word = String(rule || "").trim().toUpperCase();
  return plain[word] || (day.slice(8, 10) <= "28" && plainUntil28[word]) || rule;
}

const names = new Set(["FREQ", "INTERVAL", "BYDAY", "BYMONTHDAY", "COUNT", "UNTIL", "WKST", "BYMONTH"]);

/** The form for a rule: {freq, interval, days, monthly, monthDay, nth, nthDay, end, count, until, extra}; null: it has no form. */
export function formOf(rule, day) {
  const parts = partsOf(written(rule, day));
  const weekday = dayNames[(new Date(`${day}T00:00:00Z`).getUTCDay() + 6) % 7];
  const form = { freq: "WEEKLY", interval: 1, days: [weekday], monthly: "day", monthDay: Number(day.slice(8, 10)),
    nth: Math.min(4, Math.ceil(Number(day.slice(8, 10)) / 7)), nthDay: weekday, end: "never", count: 10, until: "" };
  if (!rule) return form;
  if (Object.keys(parts).some((name) => !names.has(name)) || !["DAILY", "WEEKLY", "MONTHLY", "YEARLY"].includes(parts.FREQ)) return null;
  if (parts.BYMONTH && parts.FREQ !== "YEARLY") return null;
  Object.assign(form, { freq: parts.FREQ, interval: Number(parts.INTERVAL || 1) });
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
  const parts = [`FREQ=${form.freq}`];
  if (form.interval > 1) parts.push(`INTERVAL=${form.interval}`);
  if (form.freq === "WEEKLY" && form.days.length) parts.push(`BYDAY=${dayNames.filter((each) => form.days.includes(each)).join(",")}`);
  if (form.freq === "MONTHLY") parts.push(form.monthly === "day" ? `BYMONTHDAY=${form.monthDay}` : `BYDAY=${form.nth}${form.nthDay}`);
  if (form.end === "count") parts.push(`COUNT=${Math.max(1, form.count)}`);
  if (form.end === "until" && form.until) parts.push(`UNTIL=${form.until.replaceAll("-", "")}`);
  return parts.join(";");
}
