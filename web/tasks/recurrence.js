// How a task repeats: a form, the rule in words, the next dates and the warnings, as the server tells them.
import { html, useEffect, useState } from "/lib/preact.js";
import { call } from "../core/api.js";
import { formatClock, formatDay, today, weekday, zoneOf, localOf } from "../core/dates.js";
import { preferences, usePreferences } from "../core/preferences.js";
import { keepRead, readKept } from "../core/saving.js";
import { store } from "../core/store.js";
import { undoable } from "../core/undo.js";
import { ask, Dialog } from "../ui/dialog.js";
import { changeTask, presentOf, quoted, stopSeries, writeFields } from "./actions.js";
import { dayNames, formOf, ruleOf } from "./rule.js";
import { askScope } from "./scope.js";

const texts = new Map();

function preview(task, signal, count = 5) {
  return call("TodoService", "PreviewRecurrence", { task, count }, { signal });
}

function previewTask(task, fields = {}) {
  const due = task.due_kind === "instant" ? { dueDate: task.due_date } : { dueLocal: task.due_local, timeZone: task.time_zone };
  return { ...(task.id > 0 && task.recurrence_rule ? { id: task.id } : {}), ...due, recurrenceRule: task.recurrence_rule || "",
    recurrenceBasis: `RECURRENCE_BASIS_${(task.recurrence_basis || "schedule").toUpperCase()}`, ...fields };
}

/** The rule of a task in words, of the server or as they were read before. */
async function readText(task, key, signal) {
  try {
    const { text = "" } = await preview(previewTask(task), signal, 1);
    texts.set(key, text);
    keepRead("rule", key, text);
    return text;
  } catch (error) {
    if (signal.aborted) throw error;
    return (await readKept("rule", key))[0]?.value || "";
  }
}

/** Shows the rule of a task in words. */
export function RuleText({ task }) {
  const key = `${task.recurrence_rule} ${task.due_local || task.due_date}`;
  const [text, setText] = useState(texts.get(key) || "");
  useEffect(() => {
    setText(texts.get(key) || "");
    if (texts.has(key)) return undefined;
    const stop = new AbortController();
    readText(task, key, stop.signal).then((read) => stop.signal.aborted || setText(read), () => {});
    return () => stop.abort();
  }, [key]);
  return html`<span>${text || "Repeats"}${task.recurrence_basis === "completion" ? ", from the day it is done" : ""}</span>`;
}

/** Opens the form for the rule of `task`, and writes what was chosen. */
export async function editRule(task) {
  const answer = await ask((close) => html`<${RuleDialog} task=${task} onClose=${close} />`);
  const present = store.state.tasks.get(store.realId(task.id));
  if (!answer || !present) return;
  if (answer.stop) return void stopSeries(present);
  const fields = { recurrence_rule: answer.rule, recurrence_basis: answer.basis };
  if (!present.due_kind) Object.assign(fields, { due_local: answer.start, due_kind: "date", time_zone: zoneOf(preferences.state.zone) });
  if (!present.recurrence_rule) return void changeTask(present, fields, { ask: false, what: "Set how to repeat" });
  // With no other open occurrence “this and the following ones” is all that a rule can be for, since completed ones keep
  // theirs; “this one only” is never offered: a rule says what follows.
  const others = [...store.state.tasks.values()].some((each) => each.series_id === present.series_id && each.id !== present.id && !each.completed);
  const scope = others ? await askScope({ title: "Which ones shall have the new rule?", task: present, only: ["following", "all"] }) : "following";
  if (!scope) return;
  const before = presentOf(present, { recurrence_rule: 1, recurrence_basis: 1 });
  writeFields(present, fields, { scope, label: `Change the rule of ${quoted(present)}` });
  undoable(`Changed how ${quoted(present)} repeats`, () => {
    const now = store.state.tasks.get(store.realId(present.id));
    return now ? writeFields(now, before, { scope, label: "Undo a change of the rule", etag: false }) : false;
  });
}

const presets = (start) => {
  const day = dayNames[(weekday(start) + 6) % 7];
  return [["Every day", "FREQ=DAILY"], ["Weekdays", "FREQ=WEEKLY;BYDAY=MO,TU,WE,TH,FR"], ["Every week", `FREQ=WEEKLY;BYDAY=${day}`],
    ["Every month", ruleOf({ ...formOf("", start), freq: "MONTHLY" })], ["Every year", "FREQ=YEARLY"]];
};

function startOf(task) {
  if (!task.due_kind) return today(preferences.state.zone);
  return (task.due_kind === "instant" ? localOf(task.due_date, zoneOf(preferences.state.zone)) : task.due_local).slice(0, 10);
}

function RuleDialog({ task, onClose }) {
  const [start, setStart] = useState(startOf(task));
  const [rule, setRule] = useState(task.recurrence_rule || `FREQ=WEEKLY;BYDAY=${dayNames[(weekday(startOf(task)) + 6) % 7]}`);
  const [basis, setBasis] = useState(task.recurrence_basis || "schedule");
  const form = formOf(rule, start);
  const { answer, error, of } = usePreview(task, start, rule, basis);
  const change = (fields) => setRule(ruleOf({ ...form, ...fields }));
  return html`<${Dialog} title="Repeat" wide onClose=${() => onClose(null)}>
    <form class="t-form" onSubmit=${(event) => {
      event.preventDefault();
      // A preview that is under way is still of the rule before.
      if (!error) onClose({ rule: (of === rule && answer?.recurrenceRule) || rule, basis, start });
    }}>
      <div class="t-chips" role="group" aria-label="Usual rules">${presets(start).map(([label, value]) => html`<button key=${label} type="button"
        class="t-chip" aria-pressed=${String(rule === value)} onClick=${() => setRule(value)}>${label}</button>`)}</div>
      ${!task.due_kind && html`<label>Starts on<input type="date" required value=${start} onInput=${(event) => event.currentTarget.value && setStart(event.currentTarget.value)} /></label>`}
      ${form ? html`<${RuleForm} form=${form} change=${change} />` : html`<p class="t-hint">This rule is more than the form can show. Change its text under “Advanced”.</p>`}
      <fieldset><legend>The next one is counted from</legend>
        <label class="t-radio"><input type="radio" name="basis" checked=${basis === "schedule"} onChange=${() => setBasis("schedule")} /> the calendar</label>
        <label class="t-radio"><input type="radio" name="basis" checked=${basis === "completion"} onChange=${() => setBasis("completion")} /> the day it is done</label></fieldset>
      <details><summary>Advanced</summary><label>Rule (RFC 5545)<input type="text" class="t-code" spellcheck="false" autocomplete="off" value=${rule}
        onInput=${(event) => setRule(event.currentTarget.value.trim())} /></label></details>
      <${Preview} answer=${answer} error=${error} />
      <div class="dialog-actions">${task.recurrence_rule && html`<button type="button" class="button quiet danger-text" onClick=${() => onClose({ stop: true })}>Stop repeating</button>`}
        <span class="t-top-space"></span><button type="button" class="button" onClick=${() => onClose(null)}>Cancel</button>
        <button type="submit" class="button primary" disabled=${Boolean(error)}>Save</button></div>
    </form><//>`;
}

function usePreview(task, start, rule, basis) {
  const [state, setState] = useState({ answer: null, error: "", of: "" });
  useEffect(() => {
    const stop = new AbortController();
    const zone = zoneOf(preferences.state.zone);
    const asked = previewTask(task.due_kind ? task : { ...task, due_kind: "date", due_local: start, time_zone: zone },
      { recurrenceRule: rule, recurrenceBasis: `RECURRENCE_BASIS_${basis.toUpperCase()}` });
    const timer = setTimeout(() => preview(asked, stop.signal).then((answer) => setState({ answer, error: "", of: rule }), (error) => {
      if (stop.signal.aborted) return;
      if (error.code === "offline") setState({ answer: null, error: "", of: rule });
      else setState({ answer: null, of: rule, error: error.fields[0] ? `The rule ${error.fields[0].description}.` : error.message });
    }), 150);
    return () => {
      clearTimeout(timer);
      stop.abort();
    };
  }, [start, rule, basis]);
  return state;
}

/** A sentence of the server with its dates, "2026-03-29 02:30", in the user's form. */
const withDates = (text, prefs) => text.replace(/(\d{4}-\d\d-\d\d)([ T]\d\d:\d\d)?(:\d\d)?/g,
  (all, day, clock) => formatDay(day, prefs, { long: true }) + (clock ? `, ${formatClock(day + clock, prefs)}` : ""));

function Preview({ answer, error }) {
  const prefs = usePreferences();
  if (error) return html`<p class="t-error" role="alert">${error}</p>`;
  if (!answer) return html`<p class="t-hint" role="status">${store.state.online ? "…" : "The next dates need a connection."}</p>`;
  const label = ({ dueLocal, dueDate }) => {
    const local = dueLocal || localOf(dueDate, zoneOf(prefs.zone));
    return `${formatDay(local.slice(0, 10), prefs, { long: true })}${local.length > 10 ? `, ${formatClock(local, prefs)}` : ""}`;
  };
  const dates = answer.occurrences || [];
  return html`<div class="t-preview" role="status">${answer.text && html`<p class="t-preview-text">${answer.text}</p>`}
    ${dates.length > 0 && html`<span class="t-hint">Next dates</span><ol>${dates.map((each) => html`<li key=${each.dueDate}>${label(each)}</li>`)}</ol>`}
    ${(answer.warnings || []).map((warning) => html`<p key=${warning} class="t-warning">${withDates(warning, prefs)}</p>`)}</div>`;
}

const units = { DAILY: "day", WEEKLY: "week", MONTHLY: "month", YEARLY: "year" };
const fullDays = { MO: "Monday", TU: "Tuesday", WE: "Wednesday", TH: "Thursday", FR: "Friday", SA: "Saturday", SU: "Sunday" };
const places = [[1, "first"], [2, "second"], [3, "third"], [4, "fourth"], [-1, "last"]];
const value = (run) => (event) => run(event.currentTarget.value);

function RuleForm({ form, change }) {
  const { weekStart } = usePreferences();
  const first = weekStart === 0 ? 6 : weekStart === 6 ? 5 : 0;
  const days = [...dayNames.slice(first), ...dayNames.slice(0, first)];
  const toggle = (day) => {
    const next = form.days.includes(day) ? form.days.filter((each) => each !== day) : [...form.days, day];
    if (next.length) change({ days: next });
  };
  return html`<div class="t-line"><label>Every<input type="number" min="1" max="999" value=${form.interval}
      onInput=${value((number) => number >= 1 && change({ interval: Number(number) }))} /></label>
      <label><span class="visually-hidden">Unit</span><select value=${form.freq} onChange=${value((freq) => change({ freq }))}>
        ${Object.entries(units).map(([freq, unit]) => html`<option key=${freq} value=${freq}>${form.interval > 1 ? `${unit}s` : unit}</option>`)}</select></label></div>
    ${form.freq === "WEEKLY" && html`<div class="t-days" role="group" aria-label="Days of the week">${days.map((day) => html`<button key=${day}
      type="button" class="t-day" aria-pressed=${String(form.days.includes(day))} aria-label=${fullDays[day]} onClick=${() => toggle(day)}>${fullDays[day].slice(0, 2)}</button>`)}</div>`}
    ${form.freq === "MONTHLY" && html`<${Monthly} form=${form} change=${change} />`}
    <div class="t-line"><label>Ends<select value=${form.end} onChange=${value((end) => change({ end, until: form.until || today() }))}>
        <option value="never">never</option><option value="count">after a number of times</option><option value="until">on a day</option></select></label>
      ${form.end === "count" && html`<label>Times<input type="number" min="1" max="10000" value=${form.count} onInput=${value((count) => count >= 1 && change({ count: Number(count) }))} /></label>`}
      ${form.end === "until" && html`<label>Last day<input type="date" value=${form.until} onInput=${value((until) => until && change({ until }))} /></label>`}</div>`;
}

function Monthly({ form, change }) {
  return html`<div class="t-line"><label>On<select value=${form.monthly} onChange=${value((monthly) => change({ monthly }))}>
      <option value="day">a day of the month</option><option value="nth">a weekday</option></select></label>
    ${form.monthly === "day" ? html`<label>Day<select value=${form.monthDay} onChange=${value((day) => change({ monthDay: Number(day) }))}>
        ${Array.from({ length: 31 }, (_, at) => html`<option key=${at} value=${at + 1}>${at + 1}</option>`)}<option value="-1">the last one</option></select></label>`
    : html`<label>Which<select value=${form.nth} onChange=${value((nth) => change({ nth: Number(nth) }))}>
        ${places.map(([number, name]) => html`<option key=${name} value=${number}>${name}</option>`)}</select></label>
      <label>Weekday<select value=${form.nthDay} onChange=${value((nthDay) => change({ nthDay }))}>
        ${dayNames.map((day) => html`<option key=${day} value=${day}>${fullDays[day]}</option>`)}</select></label>`}</div>`;
}
