// The reminders of a task: chips that one click removes, and a menu for new ones.
import { html, useEffect, useState } from "/lib/preact.js";
import { call } from "../core/api.js";
import { formatInstant, localOf, zoneOf } from "../core/dates.js";
import { preferences, usePreferences } from "../core/preferences.js";
import { queue } from "../core/queue.js";
import { store, useStore } from "../core/store.js";
import { ask, Dialog } from "../ui/dialog.js";
import { Icon } from "../ui/icon.js";
import { Menu } from "../ui/menu.js";
import { toast } from "../ui/toast.js";
import { addReminder } from "./actions.js";
import { keepReminders, knownReminders } from "./reminder_counts.js";

const presets = [["At the due time", { before: "PT0S" }], ["10 minutes before", { before: "PT10M" }], ["1 hour before", { before: "PT1H" }],
  ["1 day before", { before: "P1D" }], ["1 week before", { before: "P7D" }]];
const dayPresets = [["On the day at 9:00", { before: "P0D", timeOfDay: "09:00" }], ["The day before at 18:00", { before: "P1D", timeOfDay: "18:00" }],
  ["A week before at 9:00", { before: "P7D", timeOfDay: "09:00" }]];

/** "PT90M" in words: "1 hour 30 minutes before". */
export function beforeText(before, timeOfDay) {
  const [, weeks, days, hours, minutes, seconds] = /^P(?:(\d+)W)?(?:(\d+)D)?(?:T(?:(\d+)H)?(?:(\d+)M)?(?:(\d+)S)?)?$/.exec(before) || [];
  const parts = [[weeks, "week"], [days, "day"], [hours, "hour"], [minutes, "minute"], [seconds, "second"]]
    .filter(([number]) => Number(number) > 0).map(([number, unit]) => `${Number(number)} ${unit}${Number(number) === 1 ? "" : "s"}`);
  if (parts.length === 0) return timeOfDay ? `On the day at ${timeOfDay}` : "At the due time";
  return `${parts.join(" ")} before${timeOfDay ? ` at ${timeOfDay}` : ""}`;
}

/** The usual reminders of a task with its due date, and one of the user's choice, as entries of a menu. */
function choices(task, add) {
  const usual = !task.due_kind ? [] : task.due_kind === "date" ? dayPresets : presets;
  return [...usual.map(([label, reminder]) => ({ label, icon: "bell", run: () => add(reminder, label) })),
    { label: "At a time of your choice…", icon: "clock", run: () => chooseTime(add) }];
}

export function Reminders({ task }) {
  const [list, setList] = useState(knownReminders(task.id));
  const [count, setCount] = useState(0);
  const prefs = usePreferences();
  const online = useStore((state) => state.online);
  const id = store.realId(task.id);
  const waiting = useStore((state) => state.pending)
    .filter(({ method, request }) => method === "CreateReminder" && store.realId(request.taskId) === id);
  useEffect(() => {
    if (id < 0 || !online) return undefined;
    const stop = new AbortController();
    call("ReminderService", "ListReminders", { taskId: id }, { signal: stop.signal }).then(({ reminders = [] }) => {
      keepReminders(id, reminders, task.version);
      setList(reminders);
    }, () => {});
    return () => stop.abort();
  }, [id, task.version, count, online, waiting.length]);
  const reload = () => setCount((number) => number + 1);
  const remove = (reminder) => {
    setList(list.filter((each) => each !== reminder));
    queue.write({ method: "DeleteReminder", request: { taskId: id, number: reminder.number }, label: "Delete a reminder" }).then(reload);
    const { at, before, timeOfDay } = reminder;
    toast({ text: "Reminder removed", actions: [{ label: "Undo", run: () => add(before ? { before, ...(timeOfDay ? { timeOfDay } : {}) } : { at }) }] });
  };
  const shown = list.filter(({ state }) => state !== "REMINDER_STATE_FIRED" || !task.completed);
  const add = (reminder) => addReminder(task, reminder).then(reload);
  return html`<div class="t-field"><span class="t-field-name" id="t-reminders">Reminders</span>
    <div class="t-chips" role="group" aria-labelledby="t-reminders">
      ${shown.map((each) => html`<button key=${each.number} type="button" class=${`t-chip ${each.state === "REMINDER_STATE_PENDING" ? "" : "off"}`}
        title=${each.remindAt ? formatInstant(each.remindAt, prefs) : ""} onClick=${() => remove(each)}>
        <${Icon} name="bell" />${each.before ? beforeText(each.before, each.timeOfDay) : formatInstant(each.at, prefs)}
        ${each.state === "REMINDER_STATE_FIRED" ? " (sent)" : each.state === "REMINDER_STATE_CANCELLED" ? " (not this time)" : ""}
        <${Icon} name="close" /><span class="visually-hidden">: remove this reminder</span></button>`)}
      ${waiting.map(({ requestId, request: { reminder } }) => html`<span key=${requestId} class="t-chip"><${Icon} name="bell" />
        ${reminder.before ? beforeText(reminder.before, reminder.timeOfDay) : formatInstant(reminder.at, prefs)} (not sent yet)</span>`)}
      ${!task.completed && html`<${Menu} label="Add a reminder" className="t-chip add" align="start" items=${choices(task, add)}>
        <${Icon} name="add" />Reminder<//>`}
    </div></div>`;
}

/** Asks for a day and a time, then calls `add(reminder)`. */
async function chooseTime(add) {
  const zone = zoneOf(preferences.state.zone);
  const start = localOf(Date.now() + 3600000, zone);
  const chosen = await ask((close) => html`<${TimeDialog} start=${start.slice(0, 16)} onClose=${close} />`);
  if (chosen) add({ at: instantOf(chosen, zone) });
}

/** The instant at which the clocks of `zone` show `local` ("2026-11-27T18:30"). */
export function instantOf(local, zone) {
  const wanted = Date.parse(`${local.slice(0, 16)}:00Z`);
  let guess = wanted;
  for (let round = 0; round < 2; round += 1) guess += wanted - Date.parse(`${localOf(guess, zone)}Z`);
  return new Date(guess).toISOString();
}

function TimeDialog({ start, onClose }) {
  const [local, setLocal] = useState(start);
  return html`<${Dialog} title="Remind me" onClose=${() => onClose(null)}><form class="t-form" onSubmit=${(event) => {
    event.preventDefault();
    if (local) onClose(local);
  }}><label>Day and time<input type="datetime-local" data-autofocus required value=${local}
      onInput=${(event) => setLocal(event.currentTarget.value)} /></label>
    <div class="dialog-actions"><button type="button" class="button" onClick=${() => onClose(null)}>Cancel</button>
      <button class="button primary" type="submit">Remind me</button></div></form><//>`;
}

/** The entries of the menu for key "r". */
export function reminderItems(task) {
  return choices(task, (reminder, label) => {
    addReminder(task, reminder);
    if (label) toast({ text: `Reminder: ${label.toLowerCase()}` });
  });
}
