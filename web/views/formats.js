// Days and times as the user's preferences want them.

const cache = new Map();

/**
 * `{zone, weekStart, morning, evening, longDay(day), time(ms), dateTime(ms), shortDay(ms), tick(ms, bucket),
 * point(ms, bucket)}` for the preferences. The answer for equal preferences is one object, so it may be an input of a hook.
 */
export function formatsOf(preferences) {
  const zone = preferences?.timeZone || preferences?.zone || Intl.DateTimeFormat().resolvedOptions().timeZone || "UTC";
  const hour12 = Boolean(preferences?.hour12);
  const monthFirst = preferences?.dateOrder === "month";
  const weekStart = weekStartOf(preferences?.weekStart);
  const { morning = "09:00", evening = "19:00" } = preferences?.account?.wording || {};
  const key = [zone, hour12, monthFirst, weekStart, morning, evening].join("|");
  if (!cache.has(key)) cache.set(key, { ...makeFormats(zone, hour12, monthFirst), weekStart, morning, evening });
  return cache.get(key);
}

function weekStartOf(value) {
  if (typeof value === "number") return value % 7;
  return { sunday: 0, monday: 1, saturday: 6 }[String(value || "monday").toLowerCase().replace("weekday_", "")] ?? 1;
}

function makeFormats(zone, hour12, monthFirst) {
  const locale = monthFirst ? "en-US" : "en-GB";
  const format = (options, timeZone = zone) => {
    const formatter = new Intl.DateTimeFormat(locale, { timeZone, ...options });
    return (at) => formatter.format(at);
  };
  const day = format({ weekday: "long", day: "numeric", month: "long", year: "numeric" }, "UTC");
  const clock = { hour: hour12 ? "numeric" : "2-digit", minute: "2-digit", hour12 };
  const time = format(clock);
  const shortDay = format({ day: "numeric", month: "short" });
  const month = format({ month: "long", year: "numeric" });
  const weekday = format({ weekday: "short", day: "numeric", month: "short", year: "numeric" });
  const dateTime = format({ weekday: "short", day: "numeric", month: "short", ...clock });
  const points = {
    HOUR: (at) => `${shortDay(at)}, ${time(at)}`, DAY: weekday, WEEK: (at) => `week of ${weekday(at)}`, MONTH: month,
  };
  const ticks = { HOUR: time, DAY: shortDay, WEEK: shortDay, MONTH: format({ month: "short", year: "2-digit" }) };
  return {
    zone, time, shortDay, dateTime, hour12,
    longDay: (text) => day(new Date(`${text}T00:00:00Z`)),
    tick: (at, bucket) => ticks[bucket](at),
    point: (at, bucket) => points[bucket](at),
  };
}
