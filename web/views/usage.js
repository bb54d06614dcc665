// Usage: what was created, completed and left over time, by parts, by day, and in a row.
import { html, useCallback, useEffect, useMemo, useRef, useState } from "/lib/preact.js";
import { session } from "../core/session.js";
import { useStore } from "../core/store.js";
import { usePreferences } from "../core/preferences.js";
import { announce } from "../core/announce.js";
import { BarList, barsPicture, ChartFigure, TimeChart } from "./charts.js";
import { HeatMap } from "./heat_map.js";
import { EmptyState, ErrorState, Loading, StaleStrip, duration, numberText, useLoad } from "./parts.js";
import { fetchUsage, fetchYear, openAtEnds, plusDays, dayOf, rangeOf, ranges, seriesStreaks } from "./usage_data.js";
import { formatsOf } from "./formats.js";

const breakdowns = [
  { id: "PRIORITY", label: "Priority", noun: "priority" },
  { id: "TAG", label: "Tag", noun: "tag" },
  { id: "SERIES", label: "Repeating task", noun: "repeating task" },
];

const priorityInk = { high: "v-ink-high", medium: "v-ink-medium", low: "v-ink-low" };

/** The number grows when the user's tasks have changed and the counting has had time to follow. */
function useSettledChanges() {
  const seq = useStore((state) => state.seq);
  const [settled, setSettled] = useState(0);
  const counted = useRef(seq);
  useEffect(() => {
    if (counted.current === seq) return undefined;
    counted.current = seq;
    const timer = setTimeout(() => setSettled((was) => was + 1), 1500);
    return () => clearTimeout(timer);
  }, [seq]);
  return settled;
}

export function UsageView() {
  const formats = formatsOf(usePreferences());
  const { zone } = formats;
  const [choice, setChoice] = useState("30");
  const today = dayOf(Date.now(), zone);
  const [custom, setCustom] = useState({ from: plusDays(today, -13), to: today });
  const [breakdown, setBreakdown] = useState("PRIORITY");
  const [whose, setWhose] = useState("");
  const range = useMemo(() => rangeOf(choice, custom, zone), [choice, custom, zone, today]);
  const settled = useSettledChanges();
  const usage = useLoad((signal) => (range.problem ? undefined : fetchUsage(range, zone, breakdown, whose, signal)
    .then((data) => ({ ...data, range, breakdown, whose }))), [range, zone, breakdown, whose, settled]);
  const year = useLoad((signal) => fetchYear(zone, formats.weekStart, whose, signal),
    [zone, formats.weekStart, whose, settled]);
  return html`<div class="v-view v-usage">
    <header class="v-head">
      <h1>Usage</h1>
      ${session.state.operator && html`<${Whose} value=${whose} onChange=${(next) => {
        setWhose(next);
        if (next && breakdown === "SERIES") setBreakdown("PRIORITY");
      }} />`}
      <${RangePicker} choice=${choice} custom=${custom} today=${today} onChoice=${setChoice} onCustom=${setCustom} />
    </header>
    ${range.problem ? html`<p class="v-error" role="alert">${range.problem}</p>`
      : html`<${UsageBody} usage=${usage} year=${year} formats=${formats} breakdown=${breakdown}
        onBreakdown=${setBreakdown} />`}
  </div>`;
}

function RangePicker({ choice, custom, today, onChoice, onCustom }) {
  return html`<div class="v-range">
    <fieldset class="v-segments"><legend class="visually-hidden">Range</legend>
      ${ranges.map((each) => html`<label key=${each.id}>
        <input type="radio" name="usage-range" value=${each.id} checked=${choice === each.id}
               onChange=${() => { onChoice(each.id); announce(`Usage: ${each.label}`); }} />
        <span>${each.label}</span></label>`)}
    </fieldset>
    ${choice === "custom" && html`<div class="v-dates">
      <label>From <input type="date" value=${custom.from} max=${today} onChange=${(event) =>
        onCustom({ ...custom, from: event.currentTarget.value })} /></label>
      <label>To <input type="date" value=${custom.to} max=${today} onChange=${(event) =>
        onCustom({ ...custom, to: event.currentTarget.value })} /></label>
    </div>`}
  </div>`;
}

/** For operators: the own numbers, or those of all users together. */
function Whose({ value, onChange }) {
  return html`<fieldset class="v-segments"><legend class="visually-hidden">Whose usage</legend>
    ${[["", "Mine"], ["*", "Everyone"]]
      .map(([key, label]) => html`<label key=${key}><input type="radio" name="usage-whose"
      checked=${key === value} onChange=${() => onChange(key)} /><span>${label}</span></label>`)}
  </fieldset>`;
}

function UsageBody({ usage, year, formats, breakdown, onBreakdown }) {
  const { data, error, reload } = usage;
  if (!data) return error ? html`<${ErrorState} error=${error} retry=${reload} />`
    : html`<${Loading} label="Loading usage" lines=${8} />`;
  const mine = !data.whose;
  const nothing = data.totals.created + data.totals.completed === 0 && !year.data?.days.some((each) => each.count > 0);
  return html`<div aria-busy=${usage.busy ? "true" : "false"}>
    <${StaleStrip} error=${error} retry=${reload} />
    ${nothing && html`<${EmptyState} title="Nothing to count yet">
      <p>Add a task and check it off: what you create and complete shows here within seconds, with streaks and a map of
        your days. <a href="/today">Go to Today</a></p><//>`}
    <${Figures} data=${data} year=${year.data} />
    <${Courses} data=${data} formats=${formats} />
    ${year.data ? html`<${HeatMap} days=${year.data.days} weekStart=${formats.weekStart} longDay=${formats.longDay} />`
      : year.error && html`<${StaleStrip} error=${year.error} retry=${year.reload} />`}
    <${Breakdown} data=${data} breakdown=${breakdown} onBreakdown=${onBreakdown} />
    ${mine && html`<${Streaks} />`}
    ${data.uncounted > 0 && html`<p class="v-hint">${numberText(data.uncounted)} events came too late to be counted. An
      operator can count them with “Rebuild usage”.</p>`}
  </div>`;
}

const days = (number) => `${numberText(number)} ${number === 1 ? "day" : "days"}`;

/** "+3" or "−2 than the 30 days before", with a direction that is told by more than colour. */
function Change({ now, before, span, better = 1, unit = (value) => numberText(value) }) {
  const change = now - before;
  if (!Number.isFinite(change)) return null;
  if (change === 0) return html`<p class="v-change">as many as in ${span} before</p>`;
  const tone = change * better === 0 ? "" : change * better > 0 ? "good" : "bad";
  return html`<p class=${`v-change ${tone}`}>
    <span aria-hidden="true">${change > 0 ? "▲" : "▼"}</span> ${unit(Math.abs(change))} ${change > 0 ? "more" : "fewer"}
    <span> than in ${span} before</span></p>`;
}

function Figure({ label, value, children }) {
  return html`<div class="v-card v-number"><dt>${label}</dt><dd>${value}</dd>
    ${children && html`<dd class="v-number-note">${children}</dd>`}</div>`;
}

function Figures({ data, year }) {
  const { totals, previous, range } = data;
  const span = `the ${days(range.days)}`;
  const percent = (share) => (share < 0 ? "–" : `${Math.round(share * 100)} %`);
  return html`<dl class="v-numbers">
    <${Figure} label="Completed" value=${numberText(totals.completed)}>
      ${previous && html`<${Change} now=${totals.completed} before=${previous.completed} span=${span} />`}
      ${totals.uncompleted > 0 && html`<p class="v-change">${totals.uncompleted === 1 ? "1 completion was undone; this number counts it too"
        : `${numberText(totals.uncompleted)} completions were undone; this number counts them too`}</p>`}<//>
    <${Figure} label="Created" value=${numberText(totals.created)}>
      ${previous && html`<${Change} now=${totals.created} before=${previous.created} span=${span} better=${0} />`}<//>
    <${Figure} label="Open now" value=${numberText(data.open)}>
      <p class=${`v-change ${data.overdue > 0 ? "bad" : ""}`}>${data.overdue > 0
        ? html`<a href="/today">${numberText(data.overdue)} overdue</a>` : "nothing overdue"}</p><//>
    ${data.whose ? html`<${Figure} label="Active users today" value=${numberText(data.active.day)}>
        <p class="v-change">${numberText(data.active.week)} in 7 days, ${numberText(data.active.month)} in 30 days</p><//>`
      : html`<${Figure} label="Streak" value=${days(data.streak)}>
        ${year && html`<p class="v-change">longest in a year: ${days(year.longest)}</p>`}<//>`}
    <${Figure} label="Completion rate" value=${percent(totals.rate)}>
      ${previous && previous.rate >= 0 && html`<p class="v-change">${percent(previous.rate)} in ${span} before</p>`}<//>
    <${Figure} label="Time to complete" value=${totals.timed ? duration(totals.p50) : "–"}>
      ${totals.timed > 0 && html`<p
        class="v-change">half of the tasks; nine of ten within ${duration(totals.p90)}</p>`}<//>
  </dl>`;
}

/** The two charts over time: created and completed, and open tasks. */
function Courses({ data, formats }) {
  const version = useStore((state) => state.tasks);
  const flow = useRef(null);
  const stock = useRef(null);
  const { points, range } = data;
  const tick = useCallback((x) => formats.tick(x * 1000, range.bucket), [formats, range.bucket]);
  const full = useCallback((x) => formats.point(x * 1000, range.bucket), [formats, range.bucket]);
  const x = useMemo(() => points.map((point) => point.start / 1000), [points]);
  const open = useMemo(() => openAtEnds(version.values(), points), [points, version]);
  const when = { title: bucketName[range.bucket], header: true, cell: (row) => formats.point(row.start, range.bucket),
    csv: (row) => new Date(row.start).toISOString() };
  const number = (title, cell) => ({ title, number: true, cell });
  const file = `usage-${range.from}-${range.to}`;
  return html`<${ChartFigure} title="Created and completed" file=${file} rows=${points} rowKey=${(row) => row.start}
      columns=${[when, number("Created", (row) => row.created), number("Completed", (row) => row.completed),
        number("Opened again", (row) => row.uncompleted), number("Deleted", (row) => row.deleted)]}
          png=${() => flow.current.png()}>
      <${TimeChart} title="Created and completed" x=${x} tick=${tick} full=${full} handle=${flow}
        summary=${`${data.totals.created} tasks created and ${data.totals.completed} completed from ${formats.longDay(range.from)} to ${formats.longDay(range.to)}`}
        series=${[{ label: "Created", kind: "bars", ink: "v-ink-2", values: points.map((point) => point.created) },
          { label: "Completed", kind: "bars", ink: "v-ink-1", values: points.map((point) => point.completed) }]} />
    <//>
    ${!data.whose && html`<${ChartFigure} title="Open tasks"
      note="At the end of each ${bucketName[range.bucket].toLowerCase()}, without tasks that were deleted since."
        file=${`open-${range.from}-${range.to}`}
      rows=${points.map((point, index) => ({ ...point, open: open[index] }))} rowKey=${(row) => row.start}
      columns=${[when, number("Open", (row) => row.open)]} png=${() => stock.current.png()}>
      <${TimeChart} title="Open tasks" x=${x} tick=${tick} full=${full} handle=${stock}
        summary=${`Open tasks: ${open[0] ?? 0} at the beginning, ${open[open.length - 1] ?? 0} at the end`}
        series=${[{ label: "Open", kind: "line", ink: "v-ink-3", values: open }]} />
    <//>`}`;
}

const bucketName = { HOUR: "Hour", DAY: "Day", WEEK: "Week", MONTH: "Month" };

function Breakdown({ data, breakdown, onBreakdown }) {
  const kind = breakdowns.find((each) => each.id === breakdown);
  const shown = data.breakdown === breakdown;
  const label = (part) => (breakdown === "SERIES" ? part.title || "Untitled" : breakdown === "TAG" ? `#${part.key}`
    : part.key.charAt(0).toUpperCase() + part.key.slice(1));
  const parts = shown ? data.parts : [];
  const bars = parts.slice(0, 12).map((part) => ({ key: part.key, label: label(part), value: part.completed,
    note: `of ${part.created} created`, ink: priorityInk[part.key] }));
  const columns = [{ title: kind.label, header: true, cell: label },
    { title: "Completed", number: true, cell: (part) => part.completed },
    { title: "Created", number: true, cell: (part) => part.created },
    { title: "Completed of created", number: true,
      cell: (part) => (part.rate < 0 ? "–" : `${Math.round(part.rate * 100)} %`) },
    { title: "Typical time", number: true, cell: (part) => (part.p50 ? duration(part.p50) : "–"),
      csv: (part) => part.p50 }];
  return html`<${ChartFigure} title=${`By ${kind.noun}`} columns=${columns} rows=${parts} rowKey=${(part) => part.key}
      file=${`usage-by-${kind.noun.replace(" ", "-")}`}
      png=${bars.length > 0 && (() => barsPicture(`Completed tasks by ${kind.noun}`, bars))}>
    <fieldset class="v-segments"><legend class="visually-hidden">Parts by</legend>
      ${breakdowns.filter((each) => !data.whose || each.id !== "SERIES")
        .map((each) => html`<label key=${each.id}>
          <input type="radio" name="usage-parts" checked=${each.id === breakdown}
        onChange=${() => onBreakdown(each.id)} /><span>${each.label}</span></label>`)}
    </fieldset>
    ${!shown ? html`<${Loading} label="Loading the parts" lines=${3} />` : parts.length === 0
      ? html`<p class="v-hint">No task with a ${kind.noun} was created or completed in this range.</p>`
      : html`<${BarList} label=${`Completed tasks by ${kind.noun}`} rows=${bars} />`}
    ${parts.length > 12 && html`<p class="v-hint">The table has all ${parts.length}.</p>`}
  <//>`;
}

/** Streaks of repeating tasks. */
function Streaks() {
  const tasks = useStore((state) => state.tasks);
  const rows = useMemo(() => seriesStreaks(tasks.values()), [tasks]);
  const columns = [
    { title: "Repeating task", header: true,
      cell: (row) => html`<a href=${`/task/${row.task}`}><bdi>${row.title}</bdi></a>`, csv: (row) => row.title },
    { title: "Streak now", number: true, cell: (row) => row.streak },
    { title: "Longest", number: true, cell: (row) => row.longest },
    { title: "Completed", number: true, cell: (row) => row.done }];
  return html`<${ChartFigure} title="Streaks of repeating tasks" columns=${columns} rows=${rows}
    rowKey=${(row) => row.id} file="streaks" png=${rows.length > 0 && (() => barsPicture("Streaks of repeating tasks", rows.slice(0, 12)
      .map((row) => ({ label: row.title, value: row.streak, note: `in a row, longest ${row.longest}` }))))}
      note="How many times in a row a repeating task was completed without a miss or a skip.">
    ${rows.length === 0
      ? html`<p class="v-hint">A task that repeats has a streak as soon as you complete it. Try “water the plants every 3 days”.</p>`
      : html`<ul class="v-streaks">${rows.slice(0, 9).map((row) => html`<li key=${row.id}>
          <a href=${`/task/${row.task}`}><bdi>${row.title}</bdi></a>
          <span class="v-streak-dots" aria-hidden="true">
            ${Array.from({ length: Math.min(10, Math.max(row.longest, 1)) }, (_, index) =>
            html`<i key=${index} class=${index < Math.min(10, row.streak) ? "on" : ""}></i>`)}</span>
          <span class="v-streak-count"><b>${row.streak}</b> in a row<small>, longest ${row.longest}</small></span>
            </li>`)}</ul>`}
  <//>`;
}
