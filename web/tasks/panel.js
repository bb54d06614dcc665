// All of one task, beside the list. Text is saved when its field is left; nothing that was typed is lost.
import { html, useEffect, useLayoutEffect, useRef, useState } from "/lib/preact.js";
import { announce } from "../core/announce.js";
import { call, taskFromApi } from "../core/api.js";
import { formatDue, formatInstant } from "../core/dates.js";
import { asideOf, drafts } from "../core/drafts.js";
import { keys } from "../core/keys.js";
import { usePreferences } from "../core/preferences.js";
import { router } from "../core/router.js";
import { session } from "../core/session.js";
import { store, useStore } from "../core/store.js";
import { Icon } from "../ui/icon.js";
import { Menu } from "../ui/menu.js";
import { useWide } from "../ui/shell.js";
import { toast } from "../ui/toast.js";
import { changeTask, deleteTasks, restore, setPriority, setTags, shorten, skipTask, stopSeries } from "./actions.js";
import { dueItems } from "./due_menu.js";
import { moreItems } from "./more_menu.js";
import { chooseDue, chooseTags, editRule, openHistory } from "./later.js";
import { RuleText } from "./recurrence.js";
import { Reminders } from "./reminders.js";
import { CheckCircle, LateWords, dueTone } from "./row.js";

export function Panel({ id, ready }) {
  const task = useStore((state) => state.tasks.get(store.realId(id)));
  const place = useRef();
  const real = store.realId(id);
  useEffect(() => {
    // The address shall be good for a reload, and for others, as soon as the task has its own.
    if (router.route.taskId !== real && store.realId(router.route.taskId) === real) router.go(`/task/${real}`, { replace: true });
  }, [real, task]);
  const shown = useRef();
  shown.current = real;
  const modal = !useWide(); // it covers the screen of a phone; the styles hide what lies behind it from keys and readers
  const close = () => {
    document.activeElement?.blur?.();
    router.close();
  };
  // However the panel is closed, the focus goes back to the row, which can take it when the panel is gone.
  useEffect(() => () => setTimeout(() => {
    const { activeElement } = document;
    if (activeElement && activeElement !== document.body && activeElement.id !== "main") return;
    document.querySelector(`.t-list [data-id="${shown.current}"] .t-title`)?.focus({ preventScroll: true });
  }), []);
  useEffect(() => keys.bind({ key: "Escape", help: "Close the task", group: "Tasks", run: close }), []);
  useEffect(() => {
    if (modal && !place.current.contains(document.activeElement)) place.current.querySelector(".t-panel-close")?.focus();
  }, [modal, !task && !ready]);
  const onKeyDown = (event) => {
    if (event.key !== "Escape" || event.defaultPrevented || event.target.closest("[role=menu]")) return;
    event.preventDefault();
    event.stopPropagation();
    close();
  };
  return html`<aside ref=${place} class="t-panel" aria-label="Task" ...${modal && { role: "dialog", "aria-modal": "true" }} onKeyDown=${onKeyDown}>
    ${task ? html`<${Present} task=${task} close=${close} />` : ready && html`<${Gone} id=${id} close=${close} />`}</aside>`;
}

function Head({ children, close }) {
  return html`<div class="t-panel-head">${children}
    <button type="button" class="button quiet icon-only t-panel-close" aria-label="Close the task" title="Close (Esc)" onClick=${close}>
      <${Icon} name="close" /></button></div>`;
}

function Present({ task, close }) {
  const prefs = usePreferences();
  const repeats = Boolean(task.recurrence_rule);
  const due = formatDue(task, prefs);
  return html`<${Head} close=${close}><${CheckCircle} task=${task} large /><span class="t-state">${task.completed
      ? `Done ${task.completed_at ? formatInstant(task.completed_at, prefs) : ""}` : task.pending && !store.state.online ? "Not sent yet" : ""}</span>
      <span class="t-top-space"></span><${Menu} label="More" icon="more" items=${moreItems(task)} /><//>
    <${Text} key=${`title ${store.firstId(task.id)}`} task=${task} field="title" label="Title" className="t-panel-title" maxlength="500" />
    <${Text} key=${`description ${store.firstId(task.id)}`} task=${task} field="description" label="Description" className="t-panel-text" maxlength="10000" lines
      placeholder="Add a description" />
    <${LateWords} task=${task} />
    <div class="t-field"><span class="t-field-name">Due</span><div class="t-chips">
      <${Menu} label=${due ? `Due ${due}` : "Add a due date"} className=${`t-chip t-due-field ${dueTone(task, prefs)}`} align="start" items=${dueItems([task])}>
        <${Icon} name="calendar" />${due || "Add a date"}<//>
      ${due && html`<button type="button" class="button quiet icon-only small" aria-label="Change day and time" title="Change day and time"
        onClick=${() => chooseDue([task])}><${Icon} name="clock" /></button>`}</div></div>
    <div class="t-field"><span class="t-field-name">Repeats</span><div class="t-chips">
      ${task.completed && !repeats ? html`<span class="t-hint">No</span>` : html`<button type="button" class="t-chip" disabled=${task.completed}
        onClick=${() => editRule(task)}><${Icon} name="repeat" />${repeats ? html`<${RuleText} task=${task} />` : "Does not repeat"}</button>`}
      ${repeats && !task.completed && html`<button type="button" class="button quiet small" onClick=${() => skipTask(task)}>
          <${Icon} name="skip" />Skip this one</button>
        <button type="button" class="button quiet small" onClick=${() => stopSeries(task)}><${Icon} name="stop" />Stop</button>`}</div></div>
    <div class="t-field"><span class="t-field-name" id="t-priority">Priority</span><div class="t-segments" role="group" aria-labelledby="t-priority">
      ${[["high", "High"], ["medium", "Medium"], ["low", "Low"]].map(([value, label]) => html`<button key=${value} type="button"
        class=${`t-segment t-${value}`} aria-pressed=${String(task.priority === value)}
        onClick=${() => task.priority !== value && setPriority([task], value)}><${Icon} name="flag" />${label}</button>`)}</div></div>
    <div class="t-field"><span class="t-field-name" id="t-tags">Tags</span><div class="t-chips" role="group" aria-labelledby="t-tags">
      ${task.tags.map((tag) => html`<button key=${tag} type="button" class="t-chip" onClick=${() => setTags([task], [], [tag])}><span dir="auto">#${tag}</span>
        <${Icon} name="close" /><span class="visually-hidden">: remove this tag</span></button>`)}
      <button type="button" class="t-chip add" onClick=${() => chooseTags([task])}><${Icon} name="add" />Tag</button></div></div>
    <${Reminders} task=${task} />
    ${task.missed_occurrences > 0 && html`<p class="t-hint">${task.missed_occurrences === 1 ? "1 occurrence" : `${task.missed_occurrences} occurrences`} passed before this one.</p>`}
    <div class="t-panel-foot"><button type="button" class="button quiet small" onClick=${() => openHistory(task.id)}>
        <${Icon} name="history" />History</button>
      <button type="button" class="button quiet small danger-text" onClick=${() => deleteTasks([task])}><${Icon} name="trash" />Delete</button>
      <span class="t-hint">${task.created_at ? `Added ${formatInstant(task.created_at, prefs)}` : ""}</span></div>`;
}

/**
 * A text of the task. Enter (Ctrl+Enter in the description) or leaving the field saves. Esc brings the old one back, and the
 * new one stands below it, also after a reload, until the user takes or discards it.
 */
function Text({ task, field, label, className, maxlength, lines = false, placeholder = "" }) {
  const stored = task[field] || "";
  const [user] = useState(session.key);
  const name = `${task.id}/${field}`;
  const [draft] = useState(() => JSON.parse(drafts.get(user, name) || "null"));
  const [text, setText] = useState(draft?.text ?? stored);
  const start = useRef(draft); // what the text was when the typing began, {before, etag}
  const now = useRef();
  const place = useRef();
  const busy = useRef(false);
  now.current = { text, stored, task };
  const named = useRef(name);
  useEffect(() => {
    if (named.current === name) return;
    drafts.set(user, name, drafts.get(user, named.current) || "");
    drafts.set(user, named.current, "");
    setAside(drafts.get(user, asideOf(named.current)) || "");
    named.current = name;
  }, [name]);
  const [aside, showAside] = useState(() => drafts.get(user, asideOf(name)) || "");
  const setAside = (value) => {
    drafts.set(user, asideOf(named.current), "");
    drafts.set(user, asideOf(name), value);
    showAside(value);
  };
  const known = useRef(stored);
  useEffect(() => {
    // A change from elsewhere is shown, unless something is being typed.
    if (now.current.text === known.current) setText(stored); // also what was typed before this ran stays
    known.current = stored;
  }, [stored]);
  useLayoutEffect(() => grow(place.current), [text]);
  const write = (value) => {
    setText(value);
    now.current.text = value;
    start.current = value === stored ? null : start.current || { before: stored, etag: store.base(task.id)?.etag };
    drafts.set(user, name, start.current && JSON.stringify({ ...start.current, text: value }));
  };
  const save = async () => {
    const { text: typed, stored: before, task: present } = now.current;
    const value = lines ? typed.trimEnd() : typed.replace(/\s+/g, " ").trim();
    if (busy.current || value === before || (!lines && !value)) {
      if (!busy.current && !lines && !value) write(before);
      return;
    }
    busy.current = true;
    // A text that was changed elsewhere meanwhile makes a conflict: the user has not seen what this one would replace.
    const etag = start.current && start.current.before !== before ? start.current.etag || true : true;
    const done = await changeTask(present, { [field]: value || null }, { what: lines ? "Changed the description of" : "Renamed to", etag });
    busy.current = false;
    start.current = null;
    drafts.set(user, name, "");
    if (done) setText(value);
    else takeBack();
  };
  const takeBack = () => {
    const { text: typed, stored: before } = now.current;
    if (typed === before) return;
    write(before);
    if (!typed.trim()) return;
    setAside(typed);
    announce(`Kept the old ${label.toLowerCase()}. The new one stands below it.`);
  };
  const useAside = async () => {
    const value = lines ? aside.trimEnd() : aside.replace(/\s+/g, " ").trim();
    if (await changeTask(now.current.task, { [field]: value }, { what: lines ? "Changed the description of" : "Renamed to" })) setAside("");
  };
  useEffect(() => () => { if (session.key === user) save(); }, []);
  return html`<textarea ref=${place} class=${className} aria-label=${label} maxlength=${maxlength} rows="1" dir="auto" placeholder=${placeholder}
    value=${text} onInput=${(event) => write(event.currentTarget.value)} onBlur=${save} onKeyDown=${(event) => {
      if (event.isComposing) return;
      if (event.key === "Enter" && (!lines || event.ctrlKey || event.metaKey)) {
        event.preventDefault();
        save();
      } else if (event.key === "Escape" && now.current.text !== now.current.stored && !busy.current) {
        event.preventDefault();
        event.stopPropagation();
        takeBack();
      }
    }}></textarea>
    ${aside && aside.trim() !== stored && html`<div class="t-chips t-aside" role="group" aria-label=${`Unsaved ${label.toLowerCase()}`}>
      <span class="t-hint" dir="auto">Not saved: “${shorten(aside.trim(), 300)}”</span>
      <button type="button" class="button quiet small" onClick=${useAside}>Use it</button>
      <button type="button" class="button quiet small" onClick=${() => setAside("")}>Discard</button></div>`}`;
}

function grow(area) {
  if (!area) return;
  area.style.height = "auto";
  area.style.height = `${area.scrollHeight + 2}px`;
}

/** A task that was deleted or skipped, or never was there. */
function Gone({ id, close }) {
  const prefs = usePreferences();
  const [last, setLast] = useState(null);
  const [known, setKnown] = useState(false);
  useEffect(() => {
    const stop = new AbortController();
    call("TodoService", "ListChanges", { taskId: id, pageSize: 500 }, { signal: stop.signal }).then(({ changes = [] }) => {
      setLast(changes.at(-1) || null);
      setKnown(true);
    }, () => !stop.signal.aborted && setKnown(true));
    return () => stop.abort();
  }, [id]);
  const task = last?.task && taskFromApi(last.task);
  return html`<${Head} close=${close}><span class="t-top-space"></span><//>${!known ? html`<p class="t-hint">…</p>` : task ? html`<h2 class="t-gone" dir="auto">${task.title}</h2>
      <p>${task.skipped_at ? `This occurrence was skipped: ${formatInstant(task.skipped_at, prefs)}.`
        : `This task was deleted: ${formatInstant(last.timestamp, prefs)}.`}</p><div class="t-panel-foot"><button type="button" class="button primary" onClick=${() => {
        restore([task]);
        toast({ text: `Brought back “${task.title}”` });
      }}>
        <${Icon} name="restore" />Bring it back</button>
        <button type="button" class="button quiet" onClick=${() => openHistory(id)}><${Icon} name="history" />History</button></div>`
    : html`<h2 class="t-gone">There is no such task</h2><p>It may belong to somebody else, or the address is wrong.</p>`}`;
}
