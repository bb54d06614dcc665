// The due dates that one step reaches; due_dialog.js asks for any other.
import { moveToDay, quickDays } from "./actions.js";
import { chooseDue } from "./later.js";

const shortDay = new Intl.DateTimeFormat("en-GB", { weekday: "short", day: "numeric", month: "short", timeZone: "UTC" });

/** The entries of the menu for `tasks`. */
export function dueItems(tasks) {
  const repeats = tasks.length > 0 && tasks.every((task) => task.recurrence_rule);
  return [...quickDays().map(({ label, icon, day }) => ({ label, icon, hint: shortDay.format(Date.parse(`${day}T00:00:00Z`)),
    run: () => moveToDay(tasks, day) })),
  { label: "No date", icon: "none", disabled: repeats, run: () => moveToDay(tasks, null) }, null,
  { label: "Another date or time…", icon: "calendar", run: () => chooseDue(tasks) }];
}
