// Reschedule in one step: the usual days, a day of choice, or no date.
import { html, render, useState } from "/lib/preact.js";
import { addDays, formatDay, nextWeekday, today, weekday } from "../core/dates.js";
import { preferences } from "../core/preferences.js";
import { ask, Dialog } from "../ui/dialog.js";
import { MenuList } from "../ui/menu.js";
import { moveTo, setPriority } from "./actions.js";

/** The entries for `tasks`: menus of rows, of the panel and of several tasks. */
export function dueItems(tasks) {
  const prefs = preferences.state;
  const day = today(prefs.zone);
  const item = (label, icon, target) => ({ label, icon, hint: target ? formatDay(target, prefs, { long: true }).split(" ")[0].slice(0, 3)
    : "", run: () => moveTo(tasks, target) });
  const saturday = weekday(day) === 6 ? addDays(day, 7) : nextWeekday(day, 6);
  return [
    item("Today", "today", day),
    item("Tomorrow", "tomorrow", addDays(day, 1)),
    item("Weekend", "weekend", saturday),
    item("Next week", "week", nextWeekday(day, prefs.weekStart === 0 ? 0 : 1)),
    { label: "Choose a day …", icon: "calendar", run: () => chooseDay(tasks) },
    null,
    item("No date", "none", null),
  ];
}

export const priorityItems = (tasks) => [["high", "High", "1"], ["medium", "Medium", "2"], ["low", "Low", "3"]].map(([name, label]) => ({
  label, icon: "flag", checked: tasks.every((task) => task.priority === name), run: () => setPriority(tasks, name) }));

/** Opens a menu beside `anchor`; the focus returns to where it was. */
export function openMenu(label, items, anchor) {
  const place = document.createElement("div");
  document.body.append(place);
  const before = document.activeElement;
  const close = (back) => {
    render(null, place);
    place.remove();
    if (back && before?.isConnected) before.focus({ preventScroll: true });
  };
  render(html`<${MenuList} label=${label} items=${items} anchor=${anchor} align="start" onClose=${close} />`, place);
}

async function chooseDay(tasks) {
  const start = tasks[0].due_local || today(preferences.state.zone);
  const chosen = await ask((close) => html`<${DayDialog} start=${start} onClose=${close} />`);
  if (chosen) moveTo(tasks, chosen);
}

function DayDialog({ start, onClose }) {
  const [day, setDay] = useState(start.slice(0, 10));
  const [time, setTime] = useState(start.slice(11, 16));
  return html`<${Dialog} title="When is it due?" onClose=${() => onClose(null)}>
    <form class="t-fields" onSubmit=${(event) => {
      event.preventDefault();
      if (day) onClose(time ? `${day}T${time}:00` : day);
    }}>
      <label>Day <input type="date" required value=${day} min="1970-01-02" max="2399-12-31" data-autofocus
        onInput=${(event) => setDay(event.currentTarget.value)} /></label>
      <label>Time, if any <input type="time" value=${time} onInput=${(event) => setTime(event.currentTarget.value)} /></label>
      <div class="dialog-actions"><button type="button" class="button" onClick=${() => onClose(null)}>Cancel</button>
        <button type="submit" class="button primary">Set the date</button></div>
    </form><//>`;
}
