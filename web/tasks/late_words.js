// Tasks whose words could not be read when they were added. Once the server has them, it reads the words too, and the user
// is asked whether they shall count.
import { taskFromApi } from "../core/api.js";
import { session } from "../core/session.js";
import { store } from "../core/store.js";
import { toast } from "../ui/toast.js";
import { addReminder, changeTask, quoted, shorten } from "./actions.js";
import { parse } from "./quick_add.js";

const gatherMs = 800; // what was added without network is sent in one go
const most = 50;
let waiting = [];
let offers = []; // {id, title, answer}
let timer = 0;
let close = () => {};

/** The task as it was typed; null when it was changed since. */
function typed({ id, title }) {
  const task = store.state.tasks.get(store.realId(id));
  return task && !task.completed && task.title === title ? task : null;
}

/** The task `id` was added with `text` as its title; the stretches `plain` are none but words. */
export function offerWords(id, { text, plain }) {
  waiting = [...waiting, { id, text, plain, title: shorten(text.trim(), 499) }].slice(-most);
  clearTimeout(timer);
  timer = setTimeout(readAll, gatherMs);
}

async function readAll() {
  const user = session.key;
  const read = waiting;
  waiting = [];
  for (const each of read) {
    const answer = typed(each) && await parse(each.text, each.plain).catch(() => null);
    if (user !== session.key) return;
    if (answer?.pieces?.length) offers.push({ ...each, answer });
  }
  offers = offers.filter(typed).slice(-most);
  if (offers.length > 0) show();
}

function show() {
  close();
  const [{ title, answer }] = offers;
  const meanings = answer.pieces.map(({ meaning }) => meaning).join("; ");
  const [text, label] = offers.length === 1 ? [`Does “${shorten(title, 20)}” mean ${meanings}?`, "Read it"]
    : [`Dates and tags in the words of ${offers.length} new tasks can be read now.`, "Read them"];
  close = toast({ timeout: 0, text, actions: [{ label, run: takeAll }] });
}

async function takeAll() {
  const taken = offers;
  offers = [];
  for (const offer of taken) {
    const task = typed(offer);
    if (!task) continue;
    await changeTask(task, fieldsOf(task, offer.answer), { ask: false, what: "Read the words of" });
    (offer.answer.reminders || []).forEach((reminder) => addReminder(task, reminder));
  }
}

/** What the words change in the task. */
function fieldsOf(task, { task: json, pieces }) {
  const read = taskFromApi(json);
  const fields = { title: read.title.trim() || task.title };
  if (read.due_local) Object.assign(fields, { due_local: read.due_local, due_kind: read.due_local.length > 10 ? "local" : "date", time_zone: read.time_zone });
  if (read.recurrence_rule) Object.assign(fields, { recurrence_rule: read.recurrence_rule, recurrence_basis: read.recurrence_basis });
  if (read.tags.length) fields.tags = [...new Set([...task.tags, ...read.tags])];
  if (pieces.some(({ kind }) => kind === "PRIORITY")) fields.priority = read.priority;
  return fields;
}

// Another tab may have asked, too, or the user has changed the task.
store.onTasks(() => {
  if (offers.length === 0 || offers.some(typed)) return;
  offers = [];
  close();
});
