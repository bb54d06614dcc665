// The reminders of a task: chips that one click removes, and a menu for new ones.
import { html, useState } from "/lib/preact.js";
import { formatInstant, localOf, zoneOf } from "../core/dates.js";
import { preferences, usePreferences } from "../core/preferences.js";
import { queue } from "../core/queue.js";
import { store, useStore } from "../core/store.js";
import { undoable } from "../core/undo.js";
import { ask, Dialog } from "../ui/dialog.js";
import { Icon } from "../ui/icon.js";
import { Menu } from "../ui/menu.js";
import { toast } from "../ui/toast.js";
import { addReminder } from "./actions.js";
import { isPending, useReminders } from "./reminder_store.js";

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

/** The reminders as they are when the user's own changes are made. */
function shownOf(list, own) {
  return own.reduce((all, { method, request: { number, until } }) => {
    if (method === "DeleteReminder") return all.filter((each) => each.number !== number);
    if (method !== "SnoozeReminder") return all;
    return all.map((each) => (each.number === number ? { ...each, remindAt: until, state: "REMINDER_STATE_PENDING" } : each));
  }, list);
}

const timeText = ({ at, before, timeOfDay }, prefs) => (before ? beforeText(before, timeOfDay) : formatInstant(at, prefs));

/** What a chip says: the reminder's own time, and its state. */
function chipText(reminder, prefs) {
  const { state, at, before, remindAt, firedAt } = reminder;
  const own = timeText(reminder, prefs);
  if (state === "REMINDER_STATE_FIRED") return `${own} (sent)`;
  if (state === "REMINDER_STATE_CANCELLED") return `${own} (not this time)`;
  if (!isPending(reminder)) return `${own} (its time has passed)`;
  const moment = formatInstant(remindAt, prefs);
  if (before) return firedAt ? `${own}, again ${moment}` : own;
  return Date.parse(remindAt) === Date.parse(at) ? own : `${moment} (snoozed)`;
}

export function Reminders({ task }) {
  const prefs = usePreferences();
  const id = store.realId(task.id);
  const own = useStore((state) => state.pending).filter(({ method, request }) => /Reminder$/.test(method) && store.realId(request.taskId) === id);
  const list = shownOf(useReminders(task, true), own);
  const waiting = own.filter(({ method }) => method === "CreateReminder");
  const add = (reminder) => addReminder(task, reminder);
  const remove = ({ number, at, before, timeOfDay }) => {
    queue.write({ method: "DeleteReminder", request: { taskId: id, number }, label: "Delete a reminder" });
    undoable("Reminder removed", () => add(before ? { before, ...(timeOfDay ? { timeOfDay } : {}) } : { at }));
  };
  const shown = list.filter(({ state }) => state !== "REMINDER_STATE_FIRED" || !task.completed);
  return html`<div class="t-field"><span class="t-field-name" id="t-reminders">Reminders</span>
    <div class="t-chips" role="group" aria-labelledby="t-reminders">
      ${shown.map((each) => html`<button key=${each.number} type="button" class=${`t-chip ${isPending(each) ? "" : "off"}`}
        title=${each.remindAt ? formatInstant(each.remindAt, prefs) : ""} onClick=${() => remove(each)}>
        <${Icon} name="bell" />${chipText(each, prefs)}
        <${Icon} name="close" /><span class="visually-hidden">: remove this reminder</span></button>`)}
      ${waiting.map(({ requestId, request: { reminder } }) => html`<span key=${requestId} class="t-chip"><${Icon} name="bell" />
        ${timeText(reminder, prefs)} (not sent yet)</span>`)}
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
