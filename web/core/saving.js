// Keeps the copy in IndexedDB near what the feed has brought: changes are gathered for a moment, then saved together with
// the cursor. What else was read, such as reminders, is kept for times without network.
import { newId } from "./browser.js";
import { store } from "./store.js";

const gatherMs = 300;
const mostKept = { reminders: 2000, rule: 500, history: 50, words: 200, notifications: 1 };
let opened = promise(); // of the copy
let copy = null;
let epoch = ""; // names one history of the copy: a snapshot begins a new one
let changes = new Map();
let cursor = null;
let timer = 0;
let busy = Promise.resolve();

function promise() {
  const made = {};
  made.end = new Promise((resolve) => { made.resolve = resolve; });
  return made;
}

/** `theCopy`: null when the browser stores nothing. */
export function startSaving(theCopy, loaded) {
  copy = theCopy;
  epoch = loaded?.epoch || "";
  changes = new Map();
  cursor = loaded || null;
  opened.resolve();
}

/** Keeps what was read of the user's; null forgets it. */
export const keepRead = (kind, name, value) => attempt((to) => to.keep(kind, name, value, mostKept[kind]));

/** What is kept of a kind, or of one of its names: [{name, value, at}…]. */
export async function readKept(kind, name) {
  await opened.end;
  return copy?.kept(kind, name).catch(() => []) ?? [];
}

export function stopSaving() {
  clearTimeout(timer);
  opened = promise();
  copy = null;
  changes = new Map();
}

/** The copy has a history that the server has forgotten. */
export function forgetSaved() {
  epoch = "";
  changes = new Map();
}

export function saveSoon(entries, newCursor) {
  for (const [id, task] of entries) changes.set(id, task);
  cursor = newCursor;
  timer ||= setTimeout(save, gatherMs);
}

export function saveAll(newCursor) {
  epoch = newId();
  cursor = newCursor;
  changes = new Map();
  const tasks = [...store.baseTasks().values()];
  attempt((to) => to.replace(tasks, { ...newCursor, epoch }));
}

function save() {
  timer = 0;
  if (!copy || !epoch || changes.size === 0) return;
  const saved = changes;
  const at = { ...cursor, epoch };
  changes = new Map();
  attempt(async (to) => {
    const done = await to.save(saved, at).catch(() => false);
    if (done || copy !== to || epoch !== at.epoch) return;
    // Another tab is ahead, or the browser refused: the changes stay, since the next save moves the cursor past them.
    for (const [id, task] of saved) if (!changes.has(id)) changes.set(id, task);
  });
}

/** One at a time. A copy that cannot be written only costs a snapshot at the next start. */
function attempt(work) {
  const to = copy;
  busy = busy.then(() => (to && !to.closed ? work(to) : undefined)).catch(() => {});
}

addEventListener("pagehide", save);
