// One task in a list. A row is drawn again only when something that it shows has changed.
import { Component, html, useEffect, useLayoutEffect, useRef, useState } from "/lib/preact.js";
import { dueDay, formatDue, isOverdue, today } from "../core/dates.js";
import { asideOf, drafts } from "../core/drafts.js";
import { session } from "../core/session.js";
import { store, useStore } from "../core/store.js";
import { Icon } from "../ui/icon.js";
import { toast } from "../ui/toast.js";
import { changeTask, isFresh, shorten, toggleCompleted } from "./actions.js";
import { isPending, useReminders } from "./reminder_store.js";

export function dueTone(task, prefs) {
  if (task.completed) return "";
  if (isOverdue(task, prefs)) return "late";
  return dueDay(task, prefs) === today(prefs.zone) ? "now" : "";
}

export function CheckCircle({ task, tabindex = 0, large = false }) {
  return html`<button type="button" role="checkbox" class=${`t-check t-${task.priority} ${large ? "large" : ""}`}
    aria-checked=${String(task.completed)} aria-label=${`Complete “${shorten(task.title, 80)}”`} tabindex=${tabindex}
    onClick=${(event) => {
      if (event.ctrlKey || event.metaKey || event.shiftKey) return;
      event.stopPropagation();
      toggleCompleted([task]);
    }}><${Icon} name="check" /></button>`;
}

/** The question about words that could not be read; its module is loaded when there are any. */
export function LateWords(props) {
  const Question = useStore(({ words }) => words);
  return Question && html`<${Question} ...${props} />`;
}

const shown = ["task", "at", "selected", "current", "editing", "prefs", "position", "total", "selecting", "open"];

const touch = matchMedia("(hover: none)").matches;

export class Row extends Component {
  shouldComponentUpdate(next, state) {
    return this.state.near !== state.near || shown.some((name) => this.props[name] !== next[name]);
  }

  /** The buttons of a row are made when the pointer or the focus comes to it: most rows are only scrolled by. */
  render({ task, at, selected, current, editing, prefs, position, total, selecting, open, ops }, { near }) {
    const tools = current || near || touch;
    const tab = current ? 0 : -1;
    const states = [selected && "selected", open && "open", task.completed && "done", isFresh(task.id) && "fresh"].filter(Boolean);
    return html`<li class=${`t-row ${states.join(" ")}`} data-id=${task.id} data-at=${at} aria-posinset=${position} aria-setsize=${total}
      onClickCapture=${(event) => ops.click(event, task)} onPointerEnter=${() => near || this.setState({ near: true })} onfocusin=${() => ops.focus(task)}>
      <${CheckCircle} task=${task} tabindex=${tab} />
      <div class="t-body">
        ${editing ? html`<${TitleEdit} task=${task} ops=${ops} />`
          : html`<a class="t-title" href=${`/task/${task.id}`} tabindex=${tab} dir="auto" draggable="false">${task.title}</a>`}
        ${selected && html`<span class="visually-hidden">selected</span>`}
        <${Details} task=${task} tab=${tab} prefs=${prefs} ops=${ops} tools=${tools} />
        <${LateWords} task=${task} tab=${tab} />
      </div>
      ${tools && !editing && !selecting && html`<div class="t-row-tools">
        <button type="button" class="button quiet icon-only small" tabindex=${tab} aria-label="Edit the title" title="Edit the title (F2)"
          onClick=${() => ops.edit(task)}><${Icon} name="edit" /></button>
        <button type="button" class="button quiet icon-only small" tabindex=${tab} aria-label="More" aria-haspopup="menu" title="More"
          onClick=${(event) => ops.menu("more", task, event.currentTarget)}><${Icon} name="more" /></button></div>`}
    </li>`;
  }
}

function Details({ task, tab, prefs, ops, tools }) {
  const due = formatDue(task, prefs);
  const reminders = useReminders(task).filter(isPending).length;
  const text = task.description?.trim();
  const waits = task.pending && !store.state.online;
  const rank = task.priority === "medium" ? "" : task.priority;
  const open = (event) => ops.menu("due", task, event.currentTarget);
  if (!due && !task.recurrence_rule && task.tags.length === 0 && !text && !reminders && !waits && !rank) {
    return tools && html`<div class="t-details empty"><button type="button" class="t-due none" tabindex=${tab} aria-haspopup="menu" onClick=${open}>
      <${Icon} name="calendar" />Date</button></div>`;
  }
  const mark = (icon, words) => html`<span class="t-mark" title=${words}><${Icon} name=${icon} /><span class="visually-hidden">${words}</span></span>`;
  return html`<div class="t-details">
    ${due && html`<button type="button" class=${`t-due ${dueTone(task, prefs)}`} tabindex=${tab} aria-haspopup="menu" onClick=${open}>
      <${Icon} name="calendar" /><span class="visually-hidden">Due </span>${due}
      ${isOverdue(task, prefs) && html`<span class="visually-hidden">, overdue</span>`}</button>`}
    ${rank && mark(rank === "high" ? "flag" : "down", rank === "high" ? "High priority" : "Low priority")}
    ${task.recurrence_rule && mark("repeat", "Repeats")}
    ${reminders > 0 && mark("bell", "Has a reminder")}
    ${text && mark("text", "Has a description")}
    ${task.tags.map((tag) => html`<a key=${tag} class="t-tag" href=${`/tag/${encodeURIComponent(tag)}`} tabindex=${tab} dir="auto">#${tag}</a>`)}
    ${waits && mark("clock", "Not sent yet")}
  </div>`;
}

/** The title as a field: Enter saves, Esc keeps the old one; what was typed can be had back, later from the panel. */
function TitleEdit({ task, ops }) {
  const [user] = useState(session.key);
  const name = `${task.id}/title`;
  const [draft] = useState(() => JSON.parse(drafts.get(user, name) || "null"));
  const [text, setText] = useState(ops.draft(task.id) ?? draft?.text ?? task.title);
  const field = useRef();
  const over = useRef(false);
  const start = useRef(draft || { before: task.title, etag: store.base(task.id)?.etag }).current;
  useLayoutEffect(() => {
    field.current.focus();
    field.current.select();
  }, []);
  const write = (typed) => {
    setText(typed);
    drafts.set(user, name, typed === start.before ? "" : JSON.stringify({ before: start.before, etag: start.etag, text: typed }));
  };
  const rename = async (title, etag) => {
    const done = await changeTask(task, { title }, { what: "Renamed to", etag });
    if (done) drafts.set(user, asideOf(name), "");
    return done;
  };
  const offer = (title) => {
    drafts.set(user, asideOf(name), title);
    toast({ text: `Kept “${shorten(task.title, 40)}”. The new title stands in its panel.`, actions: [
      { label: "Go on editing", run: () => ops.edit(task, title) },
      { label: "Use the new one", run: () => rename(title) }] });
  };
  const end = (save) => {
    if (over.current || session.key !== user) return;
    over.current = true;
    const title = text.trim();
    drafts.set(user, name, "");
    ops.endEdit(task);
    if (!title || title === task.title || title === start.before) return;
    const etag = start.before !== task.title ? start.etag || true : true; // a name given elsewhere meanwhile makes a conflict
    if (save) rename(title, etag).then((done) => done || offer(title));
    else offer(title);
  };
  const last = useRef();
  last.current = end;
  useEffect(() => () => last.current(true), []); // a row that is scrolled away has no blur in every browser
  return html`<input ref=${field} class="t-title-edit" type="text" aria-label=${`Title of “${shorten(task.title, 40)}”`} maxlength="500" dir="auto"
    value=${text} onInput=${(event) => write(event.currentTarget.value)} onBlur=${() => end(true)} onKeyDown=${(event) => {
      if (event.isComposing || (event.key !== "Enter" && event.key !== "Escape")) return;
      event.preventDefault();
      event.stopPropagation();
      end(event.key === "Enter");
    }} />`;
}
