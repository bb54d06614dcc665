// The line that adds a task. The server says what it understands; each piece is shown as a chip, and a click on one makes
// its words plain ones. Without a network the line becomes the title.
import { html, useEffect, useRef, useState } from "/lib/preact.js";
import { call, taskFromApi } from "../core/api.js";
import { announce } from "../core/announce.js";
import { formatDay, today } from "../core/dates.js";
import { usePreferences } from "../core/preferences.js";
import { queue } from "../core/queue.js";
import { store, temporaryId } from "../core/store.js";
import { router } from "../core/router.js";
import { Icon } from "../ui/icon.js";
import { toast } from "../ui/toast.js";

const icons = { DUE_DATE: "calendar", RECURRENCE: "repeat", PRIORITY: "flag", TAG: "tag", REMINDER: "bell" };
const kinds = { DUE_DATE: "date", RECURRENCE: "rule", PRIORITY: "priority", TAG: "tag", REMINDER: "reminder" };
const mostCharacters = 2000;
const typingPauseMs = 90;
let adding = Promise.resolve(); // one after the other, so that tasks come in the order in which they were written

export function focusQuickAdd() {
  const field = document.getElementById("new-task");
  if (field) {
    field.focus();
    scrollTo({ top: 0 });
    return;
  }
  router.go("/today");
  setTimeout(() => document.getElementById("new-task")?.focus(), 60);
}

/** Where `words` stand in the text, in code points. */
function spansOf(text, plain) {
  const spans = [];
  for (const words of plain) {
    const at = text.indexOf(words);
    if (at < 0) continue;
    const start = [...text.slice(0, at)].length;
    spans.push({ start, end: start + [...words].length });
  }
  return spans;
}

function parse(text, zone, plain, signal) {
  return call("TodoService", "ParseTask", { text, timeZone: zone, plain: spansOf(text, plain) }, { signal, timeoutMs: 5000 });
}

/** The parsed line while it is written. */
function useParsed(text, zone, plain) {
  const [result, set] = useState(null);
  useEffect(() => {
    if (!text.trim()) return set(null);
    const stop = new AbortController();
    const timer = setTimeout(() => parse(text, zone, plain, stop.signal).then((answer) => set({ text, plain, answer }),
      () => !stop.signal.aborted && set(null)), typingPauseMs);
    return () => {
      clearTimeout(timer);
      stop.abort();
    };
  }, [text, zone, plain]);
  return result && text.trim() ? result : null;
}

/** `route`: the list in which the line stands; a task without a date that is added to Today is due today. */
export function QuickAdd({ route }) {
  const prefs = usePreferences();
  const [text, setText] = useState("");
  const [plain, setPlain] = useState([]);
  const [bare, setBare] = useState(false); // what the list implies is not wanted
  const field = useRef();
  const parsed = useParsed(text, prefs.zone, plain);
  const pieces = parsed?.answer.pieces || [];
  const implied = bare || !text.trim() ? null : impliedBy(route, parsed?.answer.task, prefs);
  const submit = (event) => {
    event.preventDefault();
    const line = text.trim();
    if (!line) return;
    const known = parsed?.text === text && parsed.plain === plain ? parsed.answer : null;
    setText("");
    setPlain([]);
    setBare(false);
    const given = bare ? null : { route, prefs };
    adding = adding.then(() => add(line, known, plain, given, prefs)).catch(reportError);
  };
  return html`<form class="t-add" onSubmit=${submit}>
    <div class="t-add-line"><${Icon} name="add" />
      <input id="new-task" ref=${field} type="text" aria-label="Add a task" placeholder="Add a task: “Water the plants every Monday at 9”"
        autocomplete="off" enterkeyhint="done" maxlength=${mostCharacters} value=${text} dir="auto"
        aria-describedby="new-task-hint" onInput=${(event) => setText(event.currentTarget.value)}
        onKeyDown=${(event) => {
          if (event.key !== "Escape" || event.isComposing) return;
          event.preventDefault();
          event.currentTarget.blur();
        }} />
      ${text.trim() && html`<button class="button primary small" type="submit">Add</button>`}</div>
    <span class="visually-hidden" id="new-task-hint">Dates, repeats, #tags, p1 to p3 and reminders are understood. Words in quotes are left alone.</span>
    <div role="group" aria-label="Understood" class="t-pieces" hidden=${pieces.length === 0 && !implied}>
      ${pieces.map((piece, index) => html`<${Piece} key=${`${index} ${piece.text}`} piece=${piece} onPlain=${() => {
        setPlain([...plain, piece.text]);
        announce(`“${piece.text}” is part of the title`);
        field.current.focus();
      }} />`)}
      ${implied && html`<button type="button" class="t-piece" aria-label=${`${implied.text}, because of the list. Remove`}
        onClick=${() => {
          setBare(true);
          field.current.focus();
        }}><${Icon} name=${implied.icon} /><span>${implied.text}</span><${Icon} name="close" /></button>`}
    </div>
    ${(parsed?.answer.notes || []).map((note) => html`<p class="t-note">${note}</p>`)}
  </form>`;
}

function Piece({ piece, onPlain }) {
  const meaning = piece.kind === "TAG" ? piece.meaning.replace(/^#/, "") : piece.meaning;
  return html`<button type="button" class=${`t-piece ${kinds[piece.kind] || ""}`} title=${`Keep “${piece.text}” as plain words`}
    aria-label=${`${kinds[piece.kind]}: ${meaning}. Keep “${piece.text}” as plain words`} onClick=${onPlain}>
    <${Icon} name=${icons[piece.kind] || "text"} /><span dir="auto">${meaning}</span><${Icon} name="close" /></button>`;
}

function impliedBy(route, task, prefs) {
  if (route.view === "today" && !task?.dueLocal) return { text: formatDay(today(prefs.zone), prefs), icon: "today",
    fields: { dueLocal: today(prefs.zone), timeZone: prefs.zone } };
  if (route.view === "tag" && !(task?.tags || []).includes(route.tag)) return { text: `#${route.tag}`, icon: "tag",
    fields: { tags: [...(task?.tags || []), route.tag] } };
  return null;
}

async function add(line, known, plain, given, prefs) {
  let answer = known;
  if (!answer && store.state.online) answer = await parse(line, prefs.zone, plain).catch(() => null);
  let task = answer?.task?.title ? answer.task : { ...answer?.task, title: answer ? line : [...line].slice(0, 500).join("") };
  task = { ...task, ...(given ? impliedBy(given.route, task, prefs)?.fields : null) };
  const id = temporaryId();
  const shown = taskFromApi({ ...task, id, dueKind: dueKindOf(task), priority: task.priority || "PRIORITY_MEDIUM" });
  announce(`Added “${task.title}”`);
  const written = queue.write({ method: "CreateTask", request: { task }, label: `Add: ${task.title}`,
    optimistic: { create: { ...shown, created_at: new Date().toISOString() } } });
  for (const reminder of answer?.reminders || []) {
    queue.write({ method: "CreateReminder", request: { taskId: id, reminder }, label: `Reminder of: ${task.title}` });
  }
  const made = await written;
  if (made && made.id > 0 && !isShown(given, made)) {
    toast({ text: `Added “${[...made.title].slice(0, 60).join("")}”`, timeout: 6000,
      actions: [{ label: "Open", run: () => router.go(`/task/${made.id}`) }] });
  }
}

const dueKindOf = ({ dueLocal }) => (!dueLocal ? undefined : dueLocal.length > 10 ? "DUE_KIND_LOCAL" : "DUE_KIND_DATE");

/** Whether the list that the user sees shows the new task; otherwise a message tells that it was added. */
function isShown(given, task) {
  if (router.route.view === "all") return true;
  if (router.route.view !== "today") return false;
  return Boolean(task.due_local && task.due_local.slice(0, 10) <= today(given?.prefs.zone));
}
