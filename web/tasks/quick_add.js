// The line for new tasks. What the server understands of it is shown as chips; a click on a chip takes its words as plain
// ones. Without network the text becomes the title as it is.
import { html, useEffect, useRef, useState } from "/lib/preact.js";
import { call } from "../core/api.js";
import { announce } from "../core/announce.js";
import { newId } from "../core/browser.js";
import { formatDay, today, zoneOf } from "../core/dates.js";
import { drafts, lines } from "../core/drafts.js";
import { preferences, usePreferences } from "../core/preferences.js";
import { onMade, queue } from "../core/queue.js";
import { router } from "../core/router.js";
import { readKept } from "../core/saving.js";
import { session } from "../core/session.js";
import { store, useStore } from "../core/store.js";
import { undoable } from "../core/undo.js";
import { Icon } from "../ui/icon.js";
import { addTask, shorten, takeOut } from "./actions.js";
import { Understood } from "./later.js";

const pauseMs = 120;
const patienceMs = 2500; // how long a task waits for its words to be read
const ownersMs = 10000; // a tab that lives has stored its line long before
const addViews = new Set(["today", "upcoming", "all", "tag"]);
let wanted = ""; // a text for the field that is not drawn yet
let filler = null;

export const hasQuickAdd = (view) => addViews.has(view);

/** Puts the focus into the field, with `text` if there is one; goes to a list that has the field. */
export function focusQuickAdd(text = "") {
  const given = typeof text === "string" ? text : "";
  if (filler) return filler(given);
  wanted = given || " ";
  return router.go("/today");
}

/** Moves the stretches that are taken as plain words along with a change of the text. */
export function movePlain(before, after, plain) {
  const one = [...before];
  const other = [...after];
  let start = 0;
  while (start < one.length && start < other.length && one[start] === other[start]) start += 1;
  let end = 0;
  while (end < one.length - start && end < other.length - start && one[one.length - 1 - end] === other[other.length - 1 - end]) end += 1;
  const shift = other.length - one.length;
  return plain.flatMap((span) => {
    if (span.end <= start) return [span];
    if (span.start >= one.length - end) return [{ start: span.start + shift, end: span.end + shift }];
    return [];
  });
}

export function parse(text, plain, signal) {
  return call("TodoService", "ParseTask", { text, plain, timeZone: zoneOf(preferences.state.zone) }, { signal, timeoutMs: 5000 });
}

/** What the server understands of `text`: {text, plain, answer}; answer is null while nothing is known. */
function useParse(text, plain, online) {
  const [known, set] = useState({ text: "", plain, answer: null });
  useEffect(() => {
    if (!text.trim() || !online) return set({ text, plain, answer: null });
    const stop = new AbortController();
    const timer = setTimeout(async () => {
      try {
        set({ text, plain, answer: await parse(text, plain, stop.signal) });
      } catch {
        if (!stop.signal.aborted) set({ text, plain, answer: null });
      }
    }, pauseMs);
    return () => {
      clearTimeout(timer);
      stop.abort();
    };
  }, [text, plain, online]);
  return known;
}

let line = Promise.resolve();

/**
 * Adds the task of `text`. Tasks are made in the order in which they were typed. The line is kept until the queue has its
 * task, under the id of the request, so that a tab which is closed in between neither loses nor doubles it.
 */
function submit({ text, plain, known, defaults, id = newId(), words = true }) {
  const user = session.key;
  if (known) lines.keep({ id, user, text, plain, defaults, at: Date.now(), day: today(preferences.state.zone) });
  line = line.then(async () => {
    let answer = known?.text === text && known.plain === plain ? known.answer : null;
    if (!answer && words && store.state.online) answer = await parse(text, plain, AbortSignal.timeout(patienceMs)).catch(() => null);
    const task = answer ? { ...answer.task } : { title: shorten(text.trim(), 499) };
    if (session.key !== user) return;
    if (!task.title?.trim()) task.title = shorten(text.trim(), 499);
    if (!task.dueLocal && !task.dueDate && defaults.day) task.dueLocal = defaults.day;
    if (defaults.tag && !(task.tags || []).includes(defaults.tag)) task.tags = [...(task.tags || []), defaults.tag];
    const made = addTask(task, answer?.reminders || [], { requestId: id, onStored: () => lines.drop(id),
      ...(answer ? {} : { note: { text, plain, at: Date.now() } }) });
    if (answer) tell(task, made, defaults.view, answer.notes);
    else undoable(`Added “${shorten(text.trim(), 40)}”`, () => takeOut(made), { shown: false }).show(words
      ? "Added as typed. Dates and tags can be read when the network is back."
      : `Added “${shorten(text.trim(), 40)}” as it was typed before the page was closed.`, []);
  }).catch(reportError);
}

const lateWords = (work) => import("./late_words.js").then(work, () => {});

onMade(({ note }, answer, [task]) => {
  if (note && task) lateWords(({ offerWords }) => offerWords({ ...note, id: task.id, made: task }));
});

let lookedFor = "";

/** Adds the lines that a closed tab has left. On another day "tomorrow" would not be what it was, so it stays a word. */
function addLeftLines() {
  const user = session.state.status === "signed-in" ? session.key : "";
  if (user === lookedFor) return;
  lookedFor = user;
  if (user) readKept("words").then((kept) => kept.length && user === session.key && lateWords(({ askAgain }) => askAgain(kept)));
  for (const left of user ? lines.of(user) : []) {
    setTimeout(async () => {
      await queue.ready();
      if (session.key !== user || !lines.has(left.id)) return;
      if (store.state.pending.some(({ requestId }) => requestId === left.id)) lines.drop(left.id);
      else submit({ ...left, known: null, words: left.day === today(preferences.state.zone) });
    }, Math.min(ownersMs, Math.max(0, left.at + ownersMs - Date.now())));
  }
}

session.subscribe(addLeftLines);
addLeftLines();

/** Says where the task went when the list that is shown does not have it, and which words are not what they look like. */
function tell(task, id, view, notes = []) {
  const day = task.dueLocal?.slice(0, 10);
  const now = today(preferences.state.zone);
  const text = `Added “${shorten(task.title, 40)}”`;
  const here = view === "all" || view === "tag" || (view === "today" ? day && day <= now : day && day > now);
  const step = undoable(text, () => takeOut(id), { shown: false });
  if (here && !notes.length) announce(day ? `${text}, ${formatDay(day, preferences.state)}` : text);
  else step.show(here ? [`${text}.`, ...notes].join(" ")
    : [`${text} ${day ? `for ${formatDay(day, preferences.state)}` : "without a date"}`, ...notes].join(". "),
  [{ label: "Show", run: () => router.go(`/task/${store.realId(id)}`) }]);
}

export function QuickAdd({ view, tag }) {
  const [text, setText] = useState(() => drafts.get(session.key, "new") || "");
  const [plain, setPlain] = useState([]);
  const [bare, setBare] = useState(false); // without what the list would add
  const field = useRef();
  const prefs = usePreferences();
  const online = useStore((state) => state.online);
  const known = useParse(text, plain, online);
  const change = (next) => {
    setPlain((spans) => (spans.length ? movePlain(text, next, spans) : spans));
    setText(next);
    drafts.set(session.key, "new", next);
  };
  useFiller(field, change);
  const answer = text.trim() ? known.answer : null;
  const dated = Boolean(answer?.task.dueLocal || answer?.task.dueDate);
  const defaults = { view, day: view === "today" && !bare ? today(prefs.zone) : "", tag: view === "tag" && !bare ? tag : "" };
  const add = (event) => {
    event.preventDefault();
    if (!text.trim()) return;
    submit({ text, plain, known, defaults });
    change("");
    setPlain([]);
    setBare(false);
    field.current.focus();
  };
  const lead = defaults.day && !dated ? "Today" : defaults.tag ? `#${defaults.tag}` : "";
  return html`<form class="t-add" onSubmit=${add}>
    <div class="t-add-line"><${Icon} name="add" />
      <input ref=${field} id="new-task" type="text" aria-label="Add a task" autocomplete="off" enterkeyhint="done" maxlength="2000"
        dir="auto" placeholder="Add a task: pay rent every month on the 1st at 9 p1 #home" value=${text} aria-describedby="new-task-understood"
        onInput=${(event) => change(event.currentTarget.value)} onKeyDown=${(event) => {
          if (event.key !== "Escape") return;
          event.stopPropagation();
          field.current.blur();
        }} />
      ${text.trim() && html`<button class="button primary small" type="submit">Add</button>`}</div>
    ${text.trim() && html`<${Understood} answer=${answer} lead=${lead} online=${online} text=${text} onBare=${() => setBare(true)}
      onPlain=${(span) => {
        setPlain([...plain, span].slice(-50));
        field.current.focus();
      }} />`}
  </form>`;
}

function useFiller(field, change) {
  const now = useRef();
  now.current = change;
  useEffect(() => {
    filler = (text) => {
      if (text) now.current(text);
      field.current?.focus();
      field.current?.scrollIntoView({ block: "nearest" });
    };
    if (wanted) {
      filler(wanted.trim());
      wanted = "";
    }
    return () => { filler = null; };
  }, []);
}
