// The chips that show what the server understands of the line for new tasks.
import { html } from "/lib/preact.js";
import { formatClock, formatDay } from "../core/dates.js";
import { usePreferences } from "../core/preferences.js";
import { Icon } from "../ui/icon.js";
import { shorten } from "./actions.js";

export const icons = { DUE_DATE: "calendar", RECURRENCE: "repeat", PRIORITY: "flag", TAG: "tag", REMINDER: "bell" };
const kindNames = { DUE_DATE: "Date", RECURRENCE: "Rule", PRIORITY: "Priority", TAG: "Tag", REMINDER: "Reminder" };

export function Understood({ answer, lead, online, text, onPlain, onBare }) {
  const prefs = usePreferences();
  const pieces = answer?.pieces || [];
  const due = answer?.task.dueLocal;
  const ruleOnly = due && pieces.some(({ kind }) => kind === "RECURRENCE") && !pieces.some(({ kind }) => kind === "DUE_DATE");
  const title = answer?.task.title;
  return html`<div class="t-understood" id="new-task-understood" role="group" aria-label="Understood">
    ${!online && html`<span class="t-hint">Offline: the text becomes the title. Its words can be read later.</span>`}
    ${lead && html`<button type="button" class="t-chip" onClick=${onBare} title="Leave this out">${lead}
      <${Icon} name="close" /><span class="visually-hidden">: leave this out</span></button>`}
    ${pieces.map((piece) => html`<${Piece} key=${`${piece.span.start || 0}-${piece.span.end}`} piece=${piece} onPlain=${onPlain} />`)}
    ${ruleOnly && html`<span class="t-hint">first: ${formatDay(due.slice(0, 10), prefs)}${due.length > 10 ? ` ${formatClock(due, prefs)}` : ""}</span>`}
    ${(answer?.notes || []).map((note) => html`<span class="t-hint" key=${note}>${note}</span>`)}
    ${pieces.length > 0 && title && title !== text.trim() && html`<span class="t-hint t-title-hint" dir="auto">Title: “${shorten(title)}”</span>`}
  </div>`;
}

const bare = (text) => text.replace(/^[#@]/, "").toLowerCase();

function Piece({ piece: { kind, span, text, meaning }, onPlain }) {
  return html`<button type="button" class=${`t-chip t-chip-${kind.toLowerCase()}`} title="Take these words as plain ones"
    onClick=${() => onPlain({ start: span.start || 0, end: span.end })}>
    <${Icon} name=${icons[kind] || "text"} /><span class="visually-hidden">${kindNames[kind] || ""}: </span>${text}
    ${bare(text) !== bare(meaning) && html` <small>${meaning}</small>`}<${Icon} name="close" />
    <span class="visually-hidden">: take as plain words</span></button>`;
}
