// The due dates that one step reaches; due_dialog.js asks for any other.
import { preferences } from "../core/preferences.js";
import { moveToDay, quickDays } from "./actions.js";
import { chooseDue } from "./later.js";

const shortDay = (day) => new Date(`${day}T00:00:00Z`).toLocaleDateString(preferences.state.dateOrder === "month" ? "en-US" : "en-GB",
  { weekday: "short", day: "numeric", month: "short", timeZone: "UTC" });

/** The entries of the menu for `tasks`. */
export function dueItems(tasks) {
  const repeats = tasks.length > 0 && tasks.every((task) => task.recurrence_rule);
  return [...quickDays().map(({ label, icon, day }) => ({ label, icon, hint: shortDay(day),
    run: () => moveToDay(tasks, day) })),
  { label: "No date", icon: "none", disabled: repeats, run: () => moveToDay(tasks, null) }, null,
  { label: "Another date or time…", icon: "calendar", run: () => chooseDue(tasks) }];
}
