// Short messages at the bottom, with actions such as "Undo". They stay while the pointer or the focus is on them.
import { html, useEffect, useState } from "/lib/preact.js";
import { Icon } from "./icon.js";

const mostAtOnce = 2; // more would cover the list
let toasts = [];
let next = 1;
const listeners = new Set();

const show = (list) => {
  toasts = list;
  listeners.forEach((listen) => listen(list));
};

/** Shows `text`. Returns a function that takes the toast away. */
export function toast({ text, actions = [], timeout, kind = "" }) {
  const id = next++;
  const made = { id, text, actions, kind, timeout: timeout ?? (actions.length ? 10000 : 5000) };
  const others = toasts.filter((each) => each.text !== text);
  // Those that end by themselves make room first.
  while (others.length >= mostAtOnce) others.splice(Math.max(0, others.findIndex((each) => each.timeout)), 1);
  show([...others, made]);
  return () => dismiss(id);
}

const dismiss = (id) => show(toasts.filter((each) => each.id !== id));

/** Takes all away: their actions are those of the user who was here. */
export const dismissAll = () => show([]);

export function Toasts() {
  const [list, set] = useState(toasts);
  useEffect(() => {
    listeners.add(set);
    return () => listeners.delete(set);
  }, []);
  return html`<div class="toasts" role="status" aria-live="polite" aria-atomic="false" aria-relevant="additions text">
    ${list.map((each) => html`<${Toast} key=${each.id} toast=${each} />`)}</div>`;
}

function Toast({ toast: { id, text, actions, kind, timeout } }) {
  const [held, hold] = useState(false);
  useEffect(() => {
    if (held || !timeout) return undefined;
    const timer = setTimeout(() => dismiss(id), timeout);
    return () => clearTimeout(timer);
  }, [held]);
  return html`<div class=${`toast ${kind}`} onPointerEnter=${() => hold(true)} onPointerLeave=${() => hold(false)}
    onfocusin=${() => hold(true)} onfocusout=${() => hold(false)}>
    <span class="toast-text" dir="auto">${text}</span>
    ${actions.map(({ label, run }) => html`<button type="button" class="toast-action" onClick=${() => {
      dismiss(id);
      run();
    }}>${label}</button>`)}
    <button type="button" class="toast-close" aria-label="Dismiss" onClick=${() => dismiss(id)}><${Icon} name="close" /></button>
  </div>`;
}
