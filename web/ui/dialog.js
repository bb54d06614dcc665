// Dialogs on the browser's own <dialog>: it keeps the focus inside and makes the rest of the page inert.
import { html, render, useEffect, useRef } from "/lib/preact.js";
import { Icon } from "./icon.js";

let count = 0;

/**
 * A modal dialog while it is drawn. `onClose()` is called on Esc, the close button and a click beside it; `start` is a
 * selector of what takes the focus first.
 */
export function Dialog({ title, onClose, children, label, wide = false, className = "", role = "dialog", hideTitle = false,
  start = "[autofocus], [data-autofocus]" }) {
  const place = useRef();
  const id = useRef(`dialog-${++count}`);
  const close = useRef(onClose);
  close.current = onClose;
  useEffect(() => {
    const dialog = place.current;
    const before = document.activeElement;
    dialog.showModal();
    dialog.querySelector(start)?.focus();
    return () => {
      if (dialog.open) dialog.close();
      if (before?.isConnected) before.focus({ preventScroll: true });
    };
  }, []);
  const name = label && !title ? { "aria-label": label } : { "aria-labelledby": `${id.current}-title` };
  return html`<dialog ref=${place} role=${role} class=${`dialog ${wide ? "wide" : ""} ${className}`} ...${name}
    onCancel=${(event) => {
      event.preventDefault();
      close.current();
    }}
    onPointerDown=${(event) => { if (event.target === place.current && outside(event)) close.current(); }}>
    ${title && !hideTitle && html`<header class="dialog-head"><h2 id=${`${id.current}-title`} dir="auto">${title}</h2>
      <button type="button" class="button quiet icon-only" aria-label="Close" onClick=${() => close.current()}>
        <${Icon} name="close" /></button></header>`}
    ${title && hideTitle && html`<h2 class="visually-hidden" id=${`${id.current}-title`}>${title}</h2>`}
    <div class="dialog-body">${children}</div>
  </dialog>`;
}

function outside({ clientX, clientY, currentTarget }) {
  const box = currentTarget.getBoundingClientRect();
  return clientX < box.left || clientX > box.right || clientY < box.top || clientY > box.bottom;
}

const open = new Set();

/** Leaves all questions unanswered: another user comes. */
export const closeDialogs = () => [...open].forEach((close) => close());

/**
 * Draws a component in a place of its own until it calls `close(value)`. Resolves with the value, or with undefined when
 * another user comes.
 */
export function ask(draw) {
  return new Promise((resolve) => {
    const place = document.createElement("div");
    document.body.append(place);
    const close = (value) => {
      open.delete(close);
      render(null, place);
      place.remove();
      resolve(value);
    };
    open.add(close);
    render(draw(close), place);
  });
}

/** Asks a yes-or-no question. Resolves with true or false. */
export function confirm({ title, text = "", confirmLabel = "OK", cancelLabel = "Cancel", danger = false }) {
  return ask((close) => html`<${Dialog} title=${title} role="alertdialog" onClose=${() => close(false)}>
    ${text && html`<p class="dialog-text" dir="auto">${text}</p>`}
    <div class="dialog-actions">
      <button type="button" class="button" onClick=${() => close(false)}>${cancelLabel}</button>
      <button type="button" class=${`button ${danger ? "danger" : "primary"}`} data-autofocus
        onClick=${() => close(true)}>${confirmLabel}</button>
    </div><//>`);
}
