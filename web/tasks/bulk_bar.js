// What can be done to several selected tasks at once.
import { html, useEffect } from "/lib/preact.js";
import { Icon } from "../ui/icon.js";
import { Menu } from "../ui/menu.js";
import { deleteTasks, setPriority, toggleCompleted } from "./actions.js";
import { dueItems } from "./due_menu.js";
import { chooseTags } from "./later.js";

export function BulkBar({ tasks, ops }) {
  useEffect(() => {
    document.documentElement.classList.add("with-bulk"); // messages make room for the bar
    return () => document.documentElement.classList.remove("with-bulk");
  }, []);
  const then = (run) => () => {
    run();
    ops.clear();
  };
  const items = (list) => list.map((item) => item && { ...item, run: then(item.run) });
  const priorities = [["high", "High"], ["medium", "Medium"], ["low", "Low"]].map(([value, label]) => ({ label, icon: "flag",
    run: () => setPriority(tasks, value) }));
  const done = tasks.every((task) => task.completed);
  const face = (icon, text) => html`<${Icon} name=${icon} /><span class="t-bulk-text">${text}</span>`;
  return html`<div class="t-bulk" role="toolbar" aria-label="Selected tasks">
    <span class="t-bulk-count">${tasks.length} selected</span>
    <button type="button" class="button quiet" aria-label=${done ? "Open again" : "Complete"} onClick=${then(() => toggleCompleted(tasks))}>
      ${face("check", done ? "Open again" : "Complete")}</button>
    <${Menu} label="Move to another date" className="button quiet" items=${items(dueItems(tasks))}>${face("calendar", "Date")}<//>
    <button type="button" class="button quiet" aria-label="Tags" onClick=${() => chooseTags(tasks)}>${face("tag", "Tags")}</button>
    <${Menu} label="Priority" className="button quiet" items=${items(priorities)}>${face("flag", "Priority")}<//>
    <button type="button" class="button quiet" aria-label="Delete" onClick=${then(() => deleteTasks(tasks))}>${face("trash", "Delete")}</button>
    <button type="button" class="button quiet icon-only" aria-label="End the selection" onClick=${ops.clear}><${Icon} name="close" /></button>
  </div>`;
}
