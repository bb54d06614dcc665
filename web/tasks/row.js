// One task in a list.
import { html, memo } from "./memo.js";
import { formatDue, isOverdue, today } from "../core/dates.js";
import { router } from "../core/router.js";
import { Icon } from "../ui/icon.js";
import { Menu } from "../ui/menu.js";
import { remove, toggle } from "./actions.js";
import { dueItems, priorityItems } from "./due_menu.js";
import { dayOfTask } from "./selectors.js";

const most = 300; // characters of a title in a list: more cannot be seen

export const Row = memo(({ task, prefs, selected, opened, selecting, onSelect }) => {
  const due = formatDue(task, prefs);
  const title = [...task.title].length > most ? `${[...task.title].slice(0, most).join("")}…` : task.title;
  const press = (event) => {
    if (event.target.closest("a, button, input, [role=menu]")) return;
    if (event.ctrlKey || event.metaKey || event.shiftKey) onSelect(task, event.shiftKey);
    else router.go(`/task/${task.id}`);
  };
  return html`<li class=${`t-row ${task.completed ? "done" : ""} ${selected ? "selected" : ""} ${opened ? "opened" : ""}`}
    data-id=${task.id} onClick=${press}>
    <input type="checkbox" class=${`t-check ${task.priority}`} checked=${task.completed}
      aria-label=${`${task.completed ? "Done" : "Complete"}: ${title}, ${task.priority} priority`} onChange=${() => toggle(task)} />
    <div class="t-body"><a class="t-title" href=${`/task/${task.id}`} dir="auto" onClick=${(event) => {
      if (!(event.ctrlKey || event.metaKey || event.shiftKey) && !selecting) return;
      event.preventDefault();
      onSelect(task, event.shiftKey);
    }}>${title}</a>
      <${Marks} task=${task} due=${due} prefs=${prefs} /></div>
    <div class="t-tools">
      <${Menu} label=${`Date of ${title}`} icon="calendar" className="button quiet icon-only small t-tool" items=${dueItems([task])} />
      <${Menu} label=${`More for ${title}`} icon="more" className="button quiet icon-only small t-tool" items=${[
        { label: "Open", icon: "edit", hint: "Enter", run: () => router.go(`/task/${task.id}`) },
        { label: selected ? "Do not select" : "Select", icon: "done", hint: "x", run: () => onSelect(task, false) },
        null, ...priorityItems([task]), null,
        { label: "Delete", icon: "trash", hint: "Del", danger: true, run: () => remove([task]) },
      ]} /></div>
  </li>`;
}, ["task", "prefs", "selected", "opened", "selecting", "onSelect", "day"]);

function Marks({ task, due, prefs }) {
  if (!due && task.tags.length === 0 && !task.pending && !task.description) return null;
  const late = isOverdue(task, prefs);
  const isToday = dayOfTask(task) === today(prefs.zone);
  return html`<div class="t-marks">
    ${due && html`<span class=${`t-due ${task.completed ? "" : late ? "late" : isToday ? "today" : ""}`}>
      <${Icon} name=${task.recurrence_rule ? "repeat" : "calendar"} />${task.recurrence_rule && html`<span class="visually-hidden">repeats, </span>`}
      ${late && !task.completed && html`<span class="visually-hidden">overdue: </span>`}${due}</span>`}
    ${task.tags.slice(0, 6).map((tag) => html`<a key=${tag} class="t-tag" href=${`/tag/${encodeURIComponent(tag)}`} dir="auto">#${tag}</a>`)}
    ${task.description && html`<span class="t-mark"><${Icon} name="text" /><span class="visually-hidden">has a description</span></span>`}
    ${task.pending && html`<span class="t-mark" title="Not sent yet"><${Icon} name="clock" /><span class="visually-hidden">not sent yet</span></span>`}
  </div>`;
}
