// The dialog for a due date: by date, by time or in words.
import { html, useEffect, useState } from "/lib/preact.js";
import { addDays, formatClock, formatDay, localOf, today, zoneOf } from "../core/dates.js";
import { preferences, usePreferences } from "../core/preferences.js";
import { ask, Dialog } from "../ui/dialog.js";
import { changeTasks, quoted } from "./actions.js";
import { parse } from "./quick_add.js";

/** The due date of a task as the two fields of a form. */
function startOf(task) {
  if (!task?.due_kind) return { day: "", clock: "" };
  const local = task.due_kind === "instant" ? localOf(task.due_date, zoneOf(preferences.state.zone)) : task.due_local;
  return { day: local.slice(0, 10), clock: local.slice(11, 16) };
}

export async function chooseDue(tasks) {
  const due = await ask((close) => html`<${DueDialog} start=${startOf(tasks[0])} onClose=${close} />`);
  if (!due) return;
  const { day, clock } = due;
  const own = tasks.length === 1 && tasks[0].due_kind && tasks[0].due_kind !== "instant";
  const local = clock ? `${day}T${clock}:00` : day;
  const fields = { due_local: local, due_kind: clock ? "local" : "date", time_zone: own ? tasks[0].time_zone : zoneOf(preferences.state.zone) };
  changeTasks(tasks, () => fields, `Moved ${tasks.length === 1 ? quoted(tasks[0]) : `${tasks.length} tasks`} to ${
    formatDay(day, preferences.state)}${clock ? ` ${formatClock(local, preferences.state)}` : ""}`);
}

/** Reads a date in words. The answer says why there is none; the date itself is written as the user's preferences want it. */
function useWords(words, take) {
  const [problem, setProblem] = useState("");
  useEffect(() => {
    if (!words.trim()) return setProblem("");
    const stop = new AbortController();
    const timer = setTimeout(() => parse(words, [], stop.signal).then(({ task }) => {
      setProblem(task.dueLocal ? "" : "These words name no date.");
      if (task.dueLocal) take(task.dueLocal);
    }, () => !stop.signal.aborted && setProblem("Words cannot be read without a connection. Use the fields below.")), 150);
    return () => {
      clearTimeout(timer);
      stop.abort();
    };
  }, [words]);
  return problem;
}

function DueDialog({ start, onClose }) {
  const [words, setWords] = useState("");
  const [day, setDay] = useState(start.day || addDays(today(preferences.state.zone), 1));
  const [clock, setClock] = useState(start.clock);
  const prefs = usePreferences();
  const problem = useWords(words, (local) => {
    setDay(local.slice(0, 10));
    setClock(local.slice(11, 16));
  });
  const long = day ? `${formatDay(day, prefs, { long: true })}${clock ? `, ${formatClock(`${day}T${clock}`, prefs)}` : ", all day"}` : "";
  return html`<${Dialog} title="Due date" onClose=${() => onClose(null)}>
    <form class="t-form" onSubmit=${(event) => {
      event.preventDefault();
      if (day) onClose({ day, clock });
    }}>
      <label>In words<input type="text" data-autofocus="1" autocomplete="off" placeholder="friday at 6pm, in 3 days, 24 dec" value=${words}
        onInput=${(event) => setWords(event.currentTarget.value)} /></label>
      <div class="t-two"><label>Day<input type="date" required value=${day} onInput=${(event) => setDay(event.currentTarget.value)} /></label>
        <label>Time<input type="time" value=${clock} onInput=${(event) => setClock(event.currentTarget.value)} /></label></div>
      <p class="t-hint" role="status">${problem || long}</p>
      <div class="dialog-actions"><button type="button" class="button" onClick=${() => onClose(null)}>Cancel</button>
        <button type="submit" class="button primary">Save</button></div>
    </form><//>`;
}
