// An answer of the chat: its words with links to the tasks, the choices of a question, surprises, and undo.
import { html } from "/lib/preact.js";

const linked = new Set(["ADD", "COMPLETE", "UNCOMPLETE", "RENAME", "POSTPONE", "REMIND", "LIST", "SEARCH", "UNDO"]);

/** The tasks that the answer tells of and that exist. */
function tasksOf(answer) {
  const tasks = (answer.actions || [])
    .filter((action) => linked.has(action.kind)).flatMap((action) => action.tasks || []);
  return [...tasks, ...(answer.question?.choices || []).map((choice) => choice.task).filter(Boolean)];
}

const invisible = /[\u200b\u200e\u200f\u2060\u202a-\u202e\u2066-\u2069\u061c\ufeff]/g;

/** How long the title of `task` is at the begin of `text`, as the service quotes it: without invisible marks, on one line,
 *  and cut when it is long. 0: another text stands there. */
function quotedLength(text, task) {
  const title = task.title.replace(invisible, "").replace(/[\x00-\x1f\x7f]/g, " ");
  if (text.startsWith(`“${title}”`)) return title.length + 2;
  const cut = text.indexOf("…”");
  return cut > 20 && title.startsWith(text.slice(1, cut)) ? cut + 2 : 0;
}

/** The longest title that stands at `at` of `line`: `{task, length}`, or null. */
function titleAt(line, at, tasks) {
  let best = null;
  for (const task of tasks) {
    const length = quotedLength(line.slice(at), task);
    if (length > (best?.length || 0)) best = { task, length };
  }
  return best;
}

/** Splits `line` into texts and tasks: each “title” of a task becomes `{task, text}`, each task used once if it can. */
function withTasks(line, waiting, all) {
  const pieces = [];
  let done = 0;
  for (let at = line.indexOf("“"); at >= 0; at = line.indexOf("“", at + 1)) {
    const found = titleAt(line, at, waiting) || titleAt(line, at, all);
    if (!found) continue;
    const index = waiting.indexOf(found.task);
    if (index >= 0) waiting.splice(index, 1);
    pieces.push(line.slice(done, at), { task: found.task, text: line.slice(at + 1, at + found.length - 1) });
    done = at + found.length;
    at = done - 1;
  }
  pieces.push(line.slice(done));
  return pieces;
}

function Line({ pieces }) {
  return pieces.map((piece, index) => (typeof piece === "string" ? piece
    : html`<a key=${index} href=${`/task/${piece.task.id}`}><bdi>${piece.text}</bdi></a>`));
}

const isChoice = (line) => /^\d+\. /.test(line);
const isHowTo = (line) => /^Answer (with|“)/.test(line) && /”\.?$/.test(line);

/** Lines as paragraphs, and neighbouring lines that begin with "- " as one list. */
function Words({ lines }) {
  const blocks = [];
  for (const line of lines) {
    const item = typeof line[0] === "string" && line[0].startsWith("- ");
    const pieces = item ? [line[0].slice(2), ...line.slice(1)] : line;
    const last = blocks[blocks.length - 1];
    if (item && last?.list) last.list.push(pieces);
    else blocks.push(item ? { list: [pieces] } : { pieces });
  }
  return blocks.map((block, index) => (block.list
    ? html`<ul key=${index}>${block.list
      .map((pieces, at) => html`<li key=${at}><${Line} pieces=${pieces} /></li>`)}</ul>`
    : html`<p key=${index}><${Line} pieces=${block.pieces} /></p>`));
}

/** The buttons of a question: `[{label, say}]`. The labels are the server's own lines. */
function choicesOf(answer, lines) {
  const choices = answer.question.choices || [];
  if (choices.length < 2) return [{ label: "Yes", say: "yes", main: true }, { label: "No", say: "no" }];
  const labels = lines.filter(isChoice);
  return [...choices.map((choice,
    index) => ({ label: (labels[index] || choice.task?.title || "").replace(/^\d+\. /, ""),
    say: String(choice.number || index + 1), number: choice.number || index + 1 })),
      { label: "None of them", say: "none" }];
}

/** `open`: the question still waits; `undoable`: “undo” takes this answer back; `onSay(text, shown)` sends a sentence. */
export function ChatAnswer({ answer, open, undoable, busy, onSay }) {
  const lines = (answer.text || "").split("\n").filter(Boolean);
  const several = (answer.question?.choices || []).length > 1;
  const waiting = tasksOf(answer);
  const all = [...waiting];
  const shown = lines.filter((line) => !(answer.question && (isHowTo(line) || (several && isChoice(line)))))
    .map((line) => line.replace(/ Answer “yes” or “no”\.$/, "")).map((line) => withTasks(line, waiting, all));
  const notes = (answer.actions || []).flatMap((action) => action.notes || [])
    .filter((note) => !answer.text.includes(note));
  return html`<div class="v-said">
    <${Words} lines=${shown} />
    ${notes.map((note) => html`<p class="v-note" key=${note}>${note}</p>`)}
    ${answer.question && html`<div class="v-choices" role="group" aria-label="Answers">
      ${choicesOf(answer, lines).map((choice) => html`<button key=${choice.say} type="button" disabled=${!open || busy}
          class=${choice.main ? "button primary" : "button"} onClick=${() => onSay(choice.say, choice.label)}>
        ${choice.number && html`<span class="v-choice-number" aria-hidden="true">${choice.number}</span>`}
          <bdi>${choice.label}</bdi></button>`)}
    </div>`}
    ${(answer.actions || []).some((action) => action.kind === "USAGE")
      && html`<p><a href="/usage">See it as charts</a></p>`}
    ${undoable && html`<div class="v-choices">
      <button type="button" class="button small" disabled=${busy} onClick=${() => onSay("undo")}>Undo</button></div>`}
    ${answer.understoodBy && answer.understoodBy !== "grammar"
      && html`<p class="v-hint">Understood by ${answer.understoodBy}</p>`}
  </div>`;
}
