// Tasks whose words could not be read when they were added. Once the server has them, it reads the words too, and the user
// is asked whether they shall count: by a message, and by a question at the task, which stays until it is answered. What
// is asked is kept with the copy of the user's tasks. A task that was changed since has no question.
import { html, useEffect, useReducer } from "/lib/preact.js";
import { taskFromApi } from "../core/api.js";
import { formatClock, formatDay, localOf, today } from "../core/dates.js";
import { usePreferences } from "../core/preferences.js";
import { keepRead } from "../core/saving.js";
import { session } from "../core/session.js";
import { setState, store } from "../core/store.js";
import { Icon } from "../ui/icon.js";
import { toast } from "../ui/toast.js";
import { addReminder, changeTask, quoted, shorten } from "./actions.js";
import { parse } from "./quick_add.js";
import { icons } from "./understood.js";

const gatherMs = 800; // what was added without network is sent in one go
const most = 50; // that are named in one message
const dayMs = 24 * 3600e3;
const typedFields = ["title", "due_local", "recurrence_rule", "priority", "tags"];
let user = "";
let marks = new Map(); // id -> {id, text, plain, at, made: the task as it was added, answer: what the server reads, or nothing yet}
let told = []; // ids of the message
let timer = 0;
let reading = false;
let close = () => {};
let channel = null;
const listeners = new Set();

const changed = () => listeners.forEach((listen) => listen());

/** The task as it was typed; null when it was changed since. */
function typed({ id, made }) {
  const task = store.state.tasks.get(store.realId(id));
  return task && !task.completed && typedFields.every((name) => String(task[name] ?? "") === String(made[name] ?? "")) ? task : null;
}

/** Takes questions of the present user, and forgets those of the last one. */
function take(list) {
  if (user !== session.key) {
    user = session.key;
    marks = new Map();
    told = [];
    channel?.close();
    channel = new BroadcastChannel(`todo.words.${user}`);
    channel.onmessage = ({ data }) => drop(data);
  }
  list.forEach((mark) => marks.has(mark.id) || marks.set(mark.id, mark));
  setState({ words: Question });
  clearTimeout(timer);
  timer = setTimeout(readAll, gatherMs);
  changed();
}

/** A task was added as it was typed: {id, text, plain, at, made}; the stretches `plain` are none but words. */
export function offerWords(mark) {
  take([mark]);
}

/** Takes up the questions that the copy has kept. */
export function askAgain(kept) {
  const marksKept = kept.map(({ name, value, at }) => ({ ...value, id: name, keptAt: at }));
  // A task that is not known may come with the feed; after a day it was deleted.
  const over = marksKept.filter((mark) => (store.state.tasks.get(mark.id) ? !typed(mark) : mark.keptAt < Date.now() - dayMs));
  over.forEach(({ id }) => keepRead("words", id, null));
  take(marksKept.filter((mark) => !over.includes(mark)));
}

async function readAll() {
  if (reading || !store.state.online) return;
  reading = true;
  const of = user;
  for (const mark of [...marks.values()].filter((each) => !each.answer && typed(each))) {
    const answer = await parse(mark.text, mark.plain).catch(() => null);
    if (of !== session.key) break;
    if (!answer || !marks.has(mark.id)) continue;
    if (!answer.pieces?.length) drop(mark.id);
    else {
      marks.set(mark.id, { ...mark, answer });
      const { id, ...value } = marks.get(mark.id);
      keepRead("words", id, value);
      told = [...told, id].slice(-most);
    }
  }
  reading = false;
  if (of !== session.key) return;
  changed();
  if (offers().length > 0) show();
}

const offers = () => told.map((id) => marks.get(id)).filter((mark) => mark && typed(mark));

function show() {
  close();
  const [{ made, answer }, ...others] = offers();
  const meanings = answer.pieces.map(({ meaning }) => meaning).join("; ");
  const [text, label] = others.length === 0 ? [`Does “${shorten(made.title, 20)}” mean ${meanings}?`, "Read it"]
    : [`Dates and tags in the words of ${others.length + 1} new tasks can be read now.`, "Read them"];
  close = toast({ timeout: 20000, text, actions: [{ label, run: () => offers().forEach(accept) }] });
}

/** Forgets a question. */
function drop(id) {
  marks.delete(id);
  keepRead("words", id, null);
  changed();
  hush();
}

function answered(id) {
  channel.postMessage(id);
  drop(id);
}

async function accept(mark) {
  const task = typed(mark);
  answered(mark.id);
  if (!task) return;
  await changeTask(task, fieldsOf(task, mark.answer), { ask: false, what: "Read the words of" });
  (mark.answer.reminders || []).forEach((reminder) => addReminder(task, reminder));
}

/** What the words change in the task. A date of the words goes before the one that the list has given. */
function fieldsOf(task, { task: json, pieces }) {
  const read = taskFromApi(json);
  const fields = { title: read.title.trim() || task.title };
  if (read.due_local) Object.assign(fields, { due_local: read.due_local, due_kind: read.due_local.length > 10 ? "local" : "date", time_zone: read.time_zone });
  if (read.recurrence_rule) Object.assign(fields, { recurrence_rule: read.recurrence_rule, recurrence_basis: read.recurrence_basis });
  if (read.tags.length) fields.tags = [...new Set([...task.tags, ...read.tags])];
  if (pieces.some(({ kind }) => kind === "PRIORITY")) fields.priority = read.priority;
  return fields;
}

/** What a piece means, with a date as the lists write it. */
function meaningOf({ kind, meaning }, { dueLocal: due = "" }, prefs, long) {
  if (kind === "TAG") return `#${meaning}`;
  return kind === "DUE_DATE" && due ? `${formatDay(due.slice(0, 10), prefs, { long })}${due.length > 10 ? ` ${formatClock(due, prefs)}` : ""}` : meaning;
}

/** At a task: shall its words be read? */
function Question({ task, tab = 0 }) {
  const [, redraw] = useReducer((count) => count + 1, 0);
  const prefs = usePreferences();
  useEffect(() => {
    listeners.add(redraw);
    return () => listeners.delete(redraw);
  }, []);
  const mark = user === session.key && marks.get(store.realId(task.id));
  if (!mark?.answer || !typed(mark)) return null;
  const { pieces, task: read } = mark.answer;
  const long = localOf(mark.at, prefs.zone).slice(0, 10) !== today(prefs.zone); // what was "tomorrow" then may be another day now
  const words = pieces.map((piece) => meaningOf(piece, read, prefs, long)).join(", ");
  return html`<div class="t-chips t-late-words" role="group" aria-label=${`Words of ${quoted(task)}`}>
    <button type="button" class="t-chip" tabindex=${tab} onClick=${() => accept(mark)}>
      <${Icon} name=${icons[pieces[0].kind] || "text"} /><span dir="auto">Read the words: ${words}?</span></button>
    <button type="button" class="button quiet icon-only small" tabindex=${tab} aria-label="Leave the words as they are"
      title="Leave the words as they are" onClick=${() => answered(mark.id)}><${Icon} name="close" /></button></div>`;
}

/** Another tab may have answered, too, or the user has changed the tasks. */
function hush() {
  if (told.length === 0 || offers().length > 0) return;
  told = [];
  close();
}

store.onTasks(hush);

let online = store.state.online;
store.subscribe((state) => {
  if (state.online && !online && marks.size > 0) take([]);
  online = state.online;
});
