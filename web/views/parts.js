// Parts that the views share: loading, errors, empty states, tables, downloads and times in words.
import { html, useCallback, useEffect, useRef, useState } from "/lib/preact.js";

/**
 * Calls `load(signal)` when an element of `inputs` changes, every `every` milliseconds while the page is visible, and on
 * `reload()`. The former data stay while newer ones are on the way, so that a view never flickers.
 * Returns `{data, error, busy, reload, setData}`.
 */
export function useLoad(load, inputs, { every = 0 } = {}) {
  const [state, setState] = useState({ data: undefined, error: null, busy: true });
  const current = useRef(null);
  const latest = useRef(load);
  latest.current = load;
  const reload = useCallback(async () => {
    current.current?.abort();
    const mine = new AbortController();
    current.current = mine;
    setState((was) => ({ ...was, busy: true }));
    try {
      const data = await latest.current(mine.signal);
      if (current.current === mine) setState({ data, error: null, busy: false });
    } catch (error) {
      if (current.current === mine && !mine.signal.aborted) setState((was) => ({ ...was, error, busy: false }));
    }
  }, []);
  useEffect(() => {
    reload();
    return () => current.current?.abort();
  }, inputs);
  const refused = state.error?.code === "permission_denied";
  useEffect(() => repeatWhileVisible(reload, refused ? 0 : every), [every, refused]);
  useEffect(() => tryAgainLater(state.error, reload), [state.error]);
  const setData = useCallback((change) => setState((was) => ({ ...was, data: change(was.data) })), []);
  return { ...state, reload, setData };
}

const passing = ["offline", "unavailable", "deadline_exceeded", "unknown", "resource_exhausted"];

/** Calls `reload` after an error that passes by itself: when the network is back, and after some seconds. */
function tryAgainLater(error, reload) {
  if (!error || !passing.includes(error.code)) return undefined;
  const timer = setTimeout(reload, Math.max(5000, error.retryAfterMs || 0));
  window.addEventListener("online", reload);
  return () => {
    clearTimeout(timer);
    window.removeEventListener("online", reload);
  };
}

let ids = 0;

/** An id that is unique in the page and stays for the life of the component. */
export function useId() {
  return useState(() => `v${++ids}`)[0];
}

/** Calls `run` every `every` milliseconds while the page is visible, and when it becomes visible. Returns the end. */
export function repeatWhileVisible(run, every) {
  if (!every) return undefined;
  const step = () => document.visibilityState === "visible" && run();
  const timer = setInterval(step, every);
  document.addEventListener("visibilitychange", step);
  return () => {
    clearInterval(timer);
    document.removeEventListener("visibilitychange", step);
  };
}

const adviceByCode = {
  offline: ["You are offline", "Nothing is lost. This page fills itself as soon as the network is back."],
  unavailable: ["The server is busy or starting", "Please try again in a moment."],
  deadline_exceeded: ["The server took too long", "Please try again in a moment."],
  resource_exhausted: ["Too many requests", "Please wait a few seconds and try again."],
  permission_denied: ["This is for operators",
    "Your account does not have the role operator. Ask your administrator for it."],
  unauthenticated: ["You are signed out", "Please sign in again."],
};

const sentence = (text) => text.charAt(0).toUpperCase() + text.slice(1) + (/[.!?]$/.test(text) ? "" : ".");

/** What went wrong and what to do about it, in two sentences: `{title, advice}`. */
export function explain(error) {
  const known = adviceByCode[error?.code];
  if (known) return { title: known[0], advice: known[1] };
  const fields = error?.fields || [];
  const advice = fields.length === 1 ? sentence(fields[0].description)
    : fields.map((each) => `${each.field}: ${each.description}`).join("; ");
  return { title: "That did not work", advice: advice || sentence(error?.message || "please try again") };
}

/** An error where the content would be, with a button that tries again. */
export function ErrorState({ error, retry }) {
  const { title, advice } = explain(error);
  return html`<div class="v-state" role="alert">
    <p class="v-state-title">${title}</p>
    <p>${advice}</p>
    ${retry && html`<button type="button" class="button" onClick=${retry}>Try again</button>`}
  </div>`;
}

/** A strip above content that could not be refreshed: the content stays readable. */
export function StaleStrip({ error, retry }) {
  if (!error) return null;
  const { title, advice } = explain(error);
  return html`<div class="v-strip" role="status">
    <span><b>${title}.</b> ${advice}</span>
    ${retry && html`<button type="button" class="button small" onClick=${retry}>Try again</button>`}
  </div>`;
}

/** Grey bars where the content will be. */
export function Loading({ label = "Loading", lines = 4 }) {
  return html`<div class="v-skeleton" role="status" aria-label=${label}>
    ${Array.from({ length: lines }, (_, index) => html`<span key=${index}></span>`)}
  </div>`;
}

/** A view without content says what it is for and how it fills. */
export function EmptyState({ title, children }) {
  return html`<div class="v-state"><p class="v-state-title">${title}</p>${children}</div>`;
}

/**
 * A table with a caption for screen readers. `columns`: `{title, cell(row), number?, header?}`; `rows`: any; `rowKey`.
 */
export function DataTable({ caption, columns, rows, rowKey = (_, index) => index, shown = false }) {
  const cell = (column, row, index) => column.header
    ? html`<th scope="row" key=${index}>${column.cell(row)}</th>`
    : html`<td key=${index} class=${column.number ? "number" : ""}>${column.cell(row)}</td>`;
  return html`<div class="v-table-box" tabindex="0" role="group" aria-label=${`Table: ${caption}`}>
    <table class="v-table">
      <caption class=${shown ? "" : "visually-hidden"}>${caption}</caption>
      <thead><tr>${columns.map((column) =>
        html`<th scope="col" class=${column.number ? "number" : ""} key=${column.title}>${column.title}</th>`)}
          </tr></thead>
      <tbody>${rows.map((row, index) => html`<tr key=${rowKey(row, index)}>${columns.map((column, at) =>
        cell(column, row, at))}</tr>`)}</tbody>
    </table>
  </div>`;
}

/** A field with its label, a hint and an error that screen readers connect with it. */
export function Field({ label, hint, error, id, children }) {
  return html`<div class="v-field">
    <label for=${id}>${label}</label>
    ${children}
    ${hint && html`<p class="v-hint" id=${`${id}-hint`}>${hint}</p>`}
    ${error && html`<p class="v-error" id=${`${id}-error`} role="alert">${error}</p>`}
  </div>`;
}

/** A switch: a checkbox with its label and a hint. */
export function Switch({ id, label, hint, checked, disabled, onChange }) {
  return html`<div class="v-switch">
    <input id=${id} type="checkbox" role="switch" checked=${checked} disabled=${disabled}
           aria-describedby=${hint ? `${id}-hint` : null}
             onChange=${(event) => onChange(event.currentTarget.checked)} />
    <div><label for=${id}>${label}</label>${hint && html`<p class="v-hint" id=${`${id}-hint`}>${hint}</p>`}</div>
  </div>`;
}

/** Lets the browser save `content` (a text or a Blob) as a file. */
export function download(name, content, type = "text/plain") {
  const blob = content instanceof Blob ? content : new Blob([content], { type: `${type};charset=utf-8` });
  const link = document.createElement("a");
  link.href = URL.createObjectURL(blob);
  link.download = name;
  document.body.append(link);
  link.click();
  link.remove();
  setTimeout(() => URL.revokeObjectURL(link.href), 60000);
}

/**
 * Rows as CSV (RFC 4180). A text that a spreadsheet would take for a formula gets an apostrophe before it.
 */
export function toCsv(header, rows) {
  const cell = (value) => {
    let text = value === null || value === undefined ? "" : String(value);
    if (typeof value === "string" && /^[=+\-@\t\r]/.test(text)) text = `'${text}`;
    return /[",\r\n]/.test(text) ? `"${text.replaceAll('"', '""')}"` : text;
  };
  return [header, ...rows].map((row) => row.map(cell).join(",")).join("\r\n") + "\r\n";
}

const relative = new Intl.RelativeTimeFormat("en", { numeric: "auto" });

/** "5 minutes ago", "in 2 hours"; `time` is RFC 3339 or milliseconds. */
export function relativeTime(time, now = Date.now()) {
  const seconds = (new Date(time).getTime() - now) / 1000;
  const size = Math.abs(seconds);
  if (size < 45) return seconds > 5 ? "in a moment" : "just now";
  if (size < 3600) return relative.format(Math.round(seconds / 60), "minute");
  if (size < 86400) return relative.format(Math.round(seconds / 3600), "hour");
  if (size < 30 * 86400) return relative.format(Math.round(seconds / 86400), "day");
  return relative.format(Math.round(seconds / 2592000), "month");
}

/** "45 s", "3 min", "2 h 5 min", "4 d 3 h". */
export function duration(seconds) {
  if (!(seconds >= 0)) return "–";
  if (seconds < 60) return `${Math.round(seconds)} s`;
  const minutes = Math.round(seconds / 60);
  if (minutes < 60) return `${minutes} min`;
  const hours = Math.floor(minutes / 60);
  if (hours < 24) return minutes % 60 ? `${hours} h ${minutes % 60} min` : `${hours} h`;
  const days = Math.floor(hours / 24);
  return hours % 24 ? `${days} d ${hours % 24} h` : `${days} d`;
}

export const numberText = new Intl.NumberFormat("en").format;

/** The int64 of a JSON answer: a text, or nothing when it is 0. */
export const count = (value) => Number(value || 0);
