// The heat map of completions: a square for each day, a column for each week.
import { html, useEffect, useMemo, useRef } from "/lib/preact.js";
import { ChartFigure, inkOf, sheet } from "./charts.js";

const step = 14; // pixels from square to square
const side = 11;
const left = 34; // room for the names of weekdays
const top = 18;  // room for the names of months

/** 0 for nothing, else 1 to 4 by the share of the busiest days; the few days above all others do not count for that. */
function levels(days) {
  const numbers = days.map((each) => each.count).filter((each) => each > 0).sort((a, b) => a - b);
  const busy = numbers[Math.floor(0.95 * (numbers.length - 1))] || 1;
  return (number) => Math.min(4, Math.ceil((4 * number) / busy));
}

/** Squares and names with their places: `{cells, months, weekdays, width, height}`. `days` begin with a first of a week. */
function layout(days, weekStart, names) {
  const levelOf = levels(days);
  const cells = days.map((each, index) => ({ ...each, level: levelOf(each.count),
    x: left + Math.floor(index / 7) * step, y: top + (index % 7) * step }));
  const months = [];
  cells.forEach((cell, index) => {
    if (index % 7 !== 0) return;
    const text = names.month(cell.day);
    const last = months[months.length - 1];
    if (last?.text === text) return;
    if (last && cell.x - last.x < 2.2 * step) months.pop();
    months.push({ text, x: cell.x });
  });
  const rowOf = (weekday) => (weekday - weekStart + 7) % 7;
  const weekdays = [1, 3, 5].map((weekday) => ({ text: names.weekday(weekday),
    y: top + rowOf(weekday) * step + side - 2 }));
  return { cells, months, weekdays, width: left + Math.ceil(days.length / 7) * step, height: top + 7 * step };
}

const utc = (day) => new Date(`${day}T00:00:00Z`);
const format = (options) => {
  const formatter = new Intl.DateTimeFormat("en", { timeZone: "UTC", ...options });
  return (day) => formatter.format(utc(day));
};
const names = { month: format({ month: "short" }),
  weekday: (number) => format({ weekday: "short" })(`2026-11-0${number + 1}`) };

/** `days`: `[{day, count}]`; `longDay(day)`: a day in words; `weekStart`: 0 for Sunday. */
export function HeatMap({ days, weekStart, longDay }) {
  const box = useRef(null);
  const map = useMemo(() => layout(days, weekStart, names), [days, weekStart]);
  const total = days.reduce((sum, each) => sum + each.count, 0);
  const active = days.filter((each) => each.count > 0);
  const most = active.reduce((best, each) => (each.count > (best?.count || 0) ? each : best), null);
  useEffect(() => { if (box.current) box.current.scrollLeft = box.current.scrollWidth; }, [days]);
  const several = (number, noun) => `${number} ${noun}${number === 1 ? "" : "s"}`;
  const summary = `${several(total, "task")} completed on ${several(active.length, "day")} of the last year`
    + (most ? `; the most, ${most.count}, on ${longDay(most.day)}` : "");
  const columns = [{ title: "Day", header: true, cell: (row) => longDay(row.day), csv: (row) => row.day },
    { title: "Completed", number: true, cell: (row) => row.count }];
  return html`<${ChartFigure} title="Completed each day" note=${`${summary}.`} columns=${columns} file="completions"
      rows=${[...active].reverse()} rowKey=${(row) => row.day} png=${() => picture(map, box.current)}>
    <div class="v-heat-box" ref=${box} tabindex="0" role="group" aria-label="Heat map of completed tasks">
      <svg class="v-heat" role="img" aria-label=${summary} viewBox=${`0 0 ${map.width} ${map.height}`}>
        ${map.months.map((month) => html`<text key=${`${month.text}${month.x}`} x=${month.x} y="11">
          ${month.text}</text>`)}
        ${map.weekdays.map((day) => html`<text key=${day.text} x="0" y=${day.y}>${day.text}</text>`)}
        ${map.cells.map((cell) => html`<rect key=${cell.day} class=${`v-heat-${cell.level}`} x=${cell.x} y=${cell.y}
          width=${side} height=${side} rx="2.5"><title>${longDay(cell.day)}: ${cell.count} completed</title></rect>`)}
      </svg>
    </div>
    <p class="v-heat-key" aria-hidden="true">Less
      ${[0, 1, 2, 3, 4].map((level) => html`<i key=${level} class=${`v-heat-${level}`}></i>`)} More</p>
  <//>`;
}

function picture(map, element) {
  const scale = 2;
  const head = 44 * scale;
  const { canvas, pen } = sheet((map.width + 24) * scale, (map.height + 16) * scale + head, element,
    "Completed each day", scale);
  const inks = inkOf(element, [0, 1, 2, 3, 4].map((level) => `v-heat-${level}`));
  const [text] = inkOf(element, ["v-ink-text"]);
  pen.translate(12 * scale, head);
  pen.scale(scale, scale);
  for (const cell of map.cells) {
    pen.fillStyle = inks[cell.level];
    pen.fillRect(cell.x, cell.y, side, side);
  }
  pen.fillStyle = text;
  pen.font = "10px system-ui, sans-serif";
  for (const month of map.months) pen.fillText(month.text, month.x, 11);
  for (const day of map.weekdays) pen.fillText(day.text, 0, day.y);
  return new Promise((resolve) => canvas.toBlob(resolve, "image/png"));
}
