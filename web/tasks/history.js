// The history of a task, with any earlier version to be had back.
import { html, useEffect, useState } from "/lib/preact.js";
import { call, taskFromApi } from "../core/api.js";
import { formatDue, formatInstant } from "../core/dates.js";
import { usePreferences } from "../core/preferences.js";
import { queue } from "../core/queue.js";
import { keepRead, readKept } from "../core/saving.js";
import { store } from "../core/store.js";
import { undoable } from "../core/undo.js";
import { ask, Dialog } from "../ui/dialog.js";
import { dueOf, quoted, takeOut, toApi } from "./actions.js";
import { wordOf } from "./elsewhere.js";
import { RuleText } from "./recurrence.js";

const mostKept = 200; // changes of one task, the newest

export const openHistory = (id) => ask((close) => html`<${History} id=${store.realId(id)} onClose=${() => close()} />`);

async function readAll(id, signal) {
  const all = [];
  let after = 0;
  for (;;) {
    const { changes = [] } = await call("TodoService", "ListChanges", { taskId: id, afterSeq: after, pageSize: 500 }, { signal });
    all.push(...changes.map((change) => ({ ...change, task: taskFromApi(change.task) })));
    if (changes.length < 500) return all;
    after = Number(changes.at(-1).seq);
  }
}

/** The history {changes}; without network as it was read before, {changes, at}. */
async function readOrKept(id, signal) {
  try {
    const changes = await readAll(id, signal);
    keepRead("history", id, changes.slice(-mostKept));
    return { changes };
  } catch (error) {
    if (signal.aborted || error.code !== "offline") throw error;
    const [kept] = await readKept("history", id);
    return kept ? { changes: kept.value, at: kept.at } : { changes: null, error: "The history needs a connection." };
  }
}

/** What differs between two versions, in lines: [name, before, after]. */
export function differences(before, after, prefs) {
  const shown = [["Title", (task) => task.title], ["Description", (task) => task.description || ""], ["Due", (task) => formatDue(task, prefs)],
    ["Priority", (task) => task.priority], ["Tags", (task) => task.tags.map((tag) => `#${tag}`).join(" ")],
    ["Rule", (task) => task.recurrence_rule || ""]];
  return shown.map(([name, of]) => [name, before ? of(before) : "", of(after)]).filter(([, one, other]) => one !== other);
}

/** Makes the task what it was in `version`. */
function restoreVersion(version) {
  const present = store.state.tasks.get(version.id);
  const label = `Bring back an earlier version of ${quoted(version)}`;
  const fields = { title: version.title, description: version.description, priority: version.priority, tags: version.tags,
    recurrence_rule: version.recurrence_rule, recurrence_basis: version.recurrence_basis, ...dueOf(version) };
  if (!present) queue.write({ method: "RestoreTask", request: { id: version.id }, label, optimistic: { create: { ...version } } });
  if (present?.completed && !version.completed) {
    queue.write({ method: "UncompleteTask", request: { id: version.id }, label, optimistic: { update: version.id, fields: { completed: false, completed_at: null } } });
  }
  const changed = !present || Object.keys(fields).some((field) => JSON.stringify(fields[field]) !== JSON.stringify(present[field] ?? null));
  if (changed) {
    const { task, updateMask } = toApi(fields);
    queue.write({ method: "UpdateTask", label, request: { task: { id: version.id, ...task }, updateMask },
      optimistic: { update: version.id, fields: { due_date: null, ...fields } } });
  }
  if (!present?.completed && version.completed) {
    queue.write({ method: "CompleteTask", request: { id: version.id }, label, optimistic: { update: version.id, fields: { completed: true } } });
  }
}

function bringBack(version) {
  const present = store.state.tasks.get(version.id);
  restoreVersion(version);
  undoable(`Brought back an earlier version of ${quoted(version)}`, () => (present ? restoreVersion(present) : takeOut(version.id)));
}

function History({ id, onClose }) {
  const prefs = usePreferences();
  const [{ changes, error, at }, setState] = useState({ changes: null, error: "", at: 0 });
  useEffect(() => {
    const stop = new AbortController();
    readOrKept(id, stop.signal).then(setState, (problem) => {
      if (!stop.signal.aborted) setState({ changes: null, error: problem.message });
    });
    return () => stop.abort();
  }, [id]);
  return html`<${Dialog} title="History" wide onClose=${onClose}>
    ${error && html`<p role="alert">${error}</p>`}${!changes && !error && html`<p class="t-hint" role="status">Reading …</p>`}
    ${at > 0 && html`<p class="t-hint">Without network: as it was read ${formatInstant(new Date(at).toISOString(), prefs)}.</p>`}
    ${changes && html`<ol class="t-history" aria-label="Versions, newest first">${changes.map((change, index) => ({ change, before: changes[index - 1]?.task, index }))
      .reverse().map(({ change, before, index }) => html`<li key=${change.seq}>
        <div class="t-history-head"><b>${wordOf(change.eventType, change.task)}</b>
          <time datetime=${change.timestamp}>${formatInstant(change.timestamp, prefs)}</time></div>
        ${differences(before, change.task, prefs).map(([name, one, other]) => html`<p key=${name} class="t-diff"><span>${name}</span>
          ${one && html`<del dir="auto">${one}</del>`}${other ? html`<ins dir="auto">${name === "Rule" ? html`<${RuleText} task=${change.task} />` : other}</ins>` : html`<span class="t-hint">removed</span>`}</p>`)}
        ${(index < changes.length - 1 || change.eventType === "deleted") && html`<button type="button" class="button small" onClick=${() => {
          bringBack(change.task);
          onClose();
        }}>Bring this version back</button>`}
        ${index === changes.length - 1 && change.eventType !== "deleted" && html`<span class="t-hint">This is the present version.</span>`}</li>`)}</ol>`}
  <//>`;
}
