// Dead letters for operators: a list with filters, the record as it came, replay and discard.
import { html, useEffect, useState } from "/lib/preact.js";
import { call } from "../core/api.js";
import { Dialog, confirm } from "../ui/dialog.js";
import { toast } from "../ui/toast.js";
import { EmptyState, ErrorState, Field, Loading, StaleStrip, count, explain, numberText, relativeTime, useId,
  useLoad } from "./parts.js";

const states = { OPEN: "Open", REPLAYED: "Replayed", DISCARDED: "Discarded", UNSPECIFIED: "All" };
const stateOf = (letter) => (letter.state || "").replace("DEAD_LETTER_STATE_", "").toLowerCase();
const tone = { open: "bad", replayed: "good", discarded: "" };
const batch = 1000;

const fail = (error) => {
  const { title, advice } = explain(error);
  toast({ text: `${title}. ${advice}` });
};

function filterOf({ state, consumer, reason, user, task }) {
  return { state: `DEAD_LETTER_STATE_${state}`, ...(consumer ? { consumer } : {}), ...(reason ? { reason } : {}),
    ...(user ? { userId: user } : {}), ...(/^\d+$/.test(task) ? { taskId: task } : {}) };
}

const letters = (number) => `${numberText(number)} dead ${number === 1 ? "letter" : "letters"}`;

/** `set` with `id`, or without it if it was there. */
function toggled(set, id) {
  const next = new Set(set);
  if (!next.delete(id)) next.add(id);
  return next;
}

/** `open`: how many the status counts; the list is read again when it changes. `onChange`: something was changed here. */
export function DeadLetters({ open, onChange }) {
  const id = useId();
  const [fields, setFields] = useState({ state: "OPEN", consumer: "", reason: "", user: "", task: "" });
  const [size, setSize] = useState(50);
  const [chosen, setChosen] = useState(new Set());
  const [discarding, setDiscarding] = useState(null);
  const key = JSON.stringify(fields);
  const list = useLoad((signal) => call("OpsService", "ListDeadLetters", { filter: filterOf(fields), pageSize: size },
    { signal, get: true })
    .then((answer) => ({ rows: answer.deadLetters || [], more: Boolean(answer.nextPageToken) })), [key, size, open],
      { every: 8000 });
  useEffect(() => setChosen(new Set()), [key]);
  const rows = list.data?.rows || [];
  const ids = rows.filter((row) => chosen.has(row.id) && stateOf(row) === "open").map((row) => row.id);
  const filtered = fields.consumer || fields.reason || fields.user || fields.task;
  const after = (text) => {
    toast({ text });
    setChosen(new Set());
    list.reload();
    onChange();
  };
  const target = ids.length > 0 ? { ids } : { filter: filterOf({ ...fields, state: "OPEN" }) };
  const whom = ids.length > 0 ? letters(ids.length) : filtered ? "All open dead letters that match the filter"
    : "All open dead letters";
  const replay = async (what, words) => {
    const sure = await confirm({ title: "Replay?", confirmLabel: "Replay",
      text: `${words} go back to their consumer under the same event id, so nothing happens twice. `
        + "Remove the cause of the failure first." });
    if (sure) call("OpsService", "ReplayDeadLetters", { ...what, ...(what.ids ? {} : { limit: batch }) })
      .then((answer) => after(`${letters(count(answer.replayedCount))} replayed`), fail);
  };
  const canAct = ids.length > 0 || rows.some((row) => stateOf(row) === "open");
  return html`<section class="v-card" id="dead-letters" aria-labelledby=${id}>
    <header class="v-figure-head"><h2 id=${id}>Dead letters</h2>
      <div class="v-figure-tools">
        <button type="button" class="button small" disabled=${!canAct} onClick=${() => replay(target, whom)}>
          ${ids.length > 0 ? `Replay ${ids.length}` : filtered ? "Replay all that match" : "Replay all open"}</button>
        <button type="button" class="button small danger" disabled=${!canAct}
          onClick=${() => setDiscarding({ what: target, words: whom })}>
            ${ids.length > 0 ? `Discard ${ids.length} …` : filtered ? "Discard all that match …"
              : "Discard all open …"}</button>
      </div></header>
    <${Filters} fields=${fields} onChange=${setFields} />
    <${StaleStrip} error=${list.data && list.error} retry=${list.reload} />
    ${!list.data ? (list.error ? html`<${ErrorState} error=${list.error} retry=${list.reload} />`
      : html`<${Loading} label="Loading dead letters" lines=${3} />`)
      : rows.length === 0 ? html`<${EmptyState} title=${fields.state === "OPEN" && !filtered ? "No open dead letters"
        : "Nothing matches"}>
          <p>${fields.state === "OPEN" && !filtered
            ? "An event that a consumer has given up after four attempts appears here with its record and the reason."
              : "Another state or a shorter filter may find more."}</p><//>`
      : html`<ul class="v-letters" aria-label="Dead letters">
        ${rows.map((row) => html`<${Letter} key=${row.id} letter=${row} chosen=${chosen.has(row.id)}
          onChoose=${() => setChosen((was) => toggled(was, row.id))}
          onReplay=${() => replay({ ids: [row.id] }, "This dead letter")}
            onDiscard=${() => setDiscarding({ what: { ids: [row.id] }, words: "This dead letter" })} />`)}</ul>`}
    ${list.data?.more && size < 500
      && html`<p class="v-more">
        <button type="button" class="button" onClick=${() => setSize(Math.min(500, size * 3))}>Show more</button></p>`}
    ${discarding && html`<${DiscardDialog} words=${discarding.words} onClose=${() => setDiscarding(null)}
      onDiscard=${(note) =>
      call("OpsService", "DiscardDeadLetters",
        { ...discarding.what, note, ...(discarding.what.ids ? {} : { limit: batch }) }).then((answer) => {
        setDiscarding(null);
        after(`${letters(count(answer.discardedCount))} discarded`);
      })} />`}
  </section>`;
}

function Filters({ fields, onChange }) {
  const id = useId();
  const text = (name, label) => html`<div class="v-filter"><label for=${`${id}-${name}`}>${label}</label>
    <input id=${`${id}-${name}`} type="search" value=${fields[name]} inputMode=${name === "task" ? "numeric" : null}
      autocomplete="off" spellcheck=${false}
      onInput=${(event) => onChange({ ...fields, [name]: event.currentTarget.value.trim() })} /></div>`;
  return html`<form class="v-filters" role="search" aria-label="Filter dead letters"
    onSubmit=${(event) => event.preventDefault()}>
    <div class="v-filter"><label for=${`${id}-state`}>State</label>
      <select id=${`${id}-state`} value=${fields.state}
        onChange=${(event) => onChange({ ...fields, state: event.currentTarget.value })}>
        ${Object.entries(states).map(([value, label]) => html`<option key=${value} value=${value}>${label}</option>`)}
          </select></div>
    ${text("consumer", "Consumer")}${text("reason", "Reason contains")}${text("user", "User")}${text("task", "Task")}
  </form>`;
}

function Letter({ letter, chosen, onChoose, onReplay, onDiscard }) {
  const [open, setOpen] = useState(false);
  const state = stateOf(letter);
  const about = [letter.consumer, letter.taskId && `task ${letter.taskId}`, letter.userId && `user ${letter.userId}`]
    .filter(Boolean).join(" · ");
  return html`<li class="v-letter">
    <div class="v-letter-head">
      <input type="checkbox" aria-label=${`Select the dead letter “${letter.reason}”`} checked=${chosen}
        disabled=${state !== "open"} onChange=${onChoose} />
      <div class="v-letter-text">
        <p><span class=${`v-pill ${tone[state] || ""}`}>${state}</span> <bdi class="v-reason">${letter.reason}</bdi></p>
        <p class="v-hint"><bdi>${about}</bdi> · ${letter.attempts || 1} ${letter.attempts === 1 ? "attempt"
          : "attempts"}, the last <time dateTime=${letter.lastFailedAt} title=${letter.lastFailedAt}>
            ${relativeTime(letter.lastFailedAt)}</time></p></div>
      <div class="v-figure-tools">
        <button type="button" class="button small" aria-expanded=${open ? "true" : "false"}
          onClick=${() => setOpen(!open)}>Record</button>
        ${state === "open" && html`<button type="button" class="button small" onClick=${onReplay}>Replay</button>
          <button type="button" class="button small danger" onClick=${onDiscard}>Discard …</button>`}
      </div>
    </div>
    ${open && html`<${Record} id=${letter.id} />`}
  </li>`;
}

/** A record as text: JSON with indents, other text as it is, bytes as hexadecimal. */
export function recordText(base64) {
  const bytes = Uint8Array.from(atob(base64 || ""), (character) => character.charCodeAt(0));
  let text;
  try {
    text = new TextDecoder("utf-8", { fatal: true }).decode(bytes);
  } catch {
    return Array.from(bytes.slice(0, 4096), (byte) => byte.toString(16).padStart(2, "0")).join(" ");
  }
  if (/"[^"]*":\s*-?\d{16,}/.test(text)) return text; // a number that JavaScript would round
  try {
    return JSON.stringify(JSON.parse(text), null, 2);
  } catch {
    return text;
  }
}

/** A bus without partitions gives -1 for both numbers. */
function placeOf({ topic, partition = 0, offset = 0 }) {
  return partition < 0 ? topic : `${topic}, partition ${partition}, offset ${offset}`;
}

function Record({ id }) {
  const load = useLoad((signal) => call("OpsService", "GetDeadLetter", { id }, { signal, get: true }), [id]);
  if (!load.data) return load.error ? html`<${ErrorState} error=${load.error} retry=${load.reload} />`
    : html`<${Loading} label="Loading the record" lines=${3} />`;
  const letter = load.data;
  const facts = [["Event", letter.eventId || "not readable"], ["First failure", letter.firstFailedAt],
    ["Last failure", letter.lastFailedAt],
    ["Place", placeOf(letter)],
      ["Key", letter.recordKey || "–"], ["Content type", letter.contentType || "–"],
    ...(letter.resolvedBy ? [["Closed by", `${letter.resolvedBy}, ${relativeTime(letter.resolvedAt)}`]] : []),
      ...(letter.note ? [["Note", letter.note]] : [])];
  return html`<div class="v-record">
    <dl>${facts.map(([name, value]) => html`<div key=${name}><dt>${name}</dt><dd><bdi>${value}</bdi></dd></div>`)}</dl>
    ${letter.record ? html`<pre tabindex="0" aria-label="Record">${recordText(letter.record)}</pre>`
      : html`<p class="v-hint">The bytes of the record are no longer kept.</p>`}</div>`;
}

function DiscardDialog({ words, onClose, onDiscard }) {
  const id = useId();
  const [note, setNote] = useState("");
  const [error, setError] = useState("");
  const [busy, setBusy] = useState(false);
  const submit = (event) => {
    event.preventDefault();
    if (!note.trim()) return setError("Say why: the note stays with the dead letter.");
    setBusy(true);
    return onDiscard(note.trim()).catch((failure) => { setBusy(false); setError(explain(failure).advice); });
  };
  return html`<${Dialog} title="Discard for good?" onClose=${onClose}>
    <form onSubmit=${submit}><p>${words} will never be applied. The list keeps the record and the note.</p>
      <${Field} id=${id} label="Why" error=${error}>
        <textarea id=${id} rows="3" data-autofocus maxlength="500" value=${note} aria-describedby=${error
          ? `${id}-error` : null}
        onInput=${(event) => { setNote(event.currentTarget.value); setError(""); }}></textarea><//>
      <div class="v-row"><button type="submit" class="button danger" disabled=${busy}>Discard</button>
        <button type="button" class="button" onClick=${onClose}>Cancel</button></div></form>
  <//>`;
}
