// A button that opens a menu: arrows move the focus, letters find an entry, Esc closes.
import { html, useEffect, useLayoutEffect, useRef, useState } from "/lib/preact.js";
import { Icon } from "./icon.js";

/**
 * `items`: [{label, run, icon?, hint?, danger?, checked?, disabled?, href?} or null for a line]. `children` is the face of
 * the button; without it the icon is, or the label.
 */
export function Menu({ label, icon, items, children, className = "button quiet icon-only", align = "end", onOpen, title }) {
  const [open, setOpen] = useState(false);
  const button = useRef();
  const close = (back = true) => {
    setOpen(false);
    if (back) button.current?.focus();
  };
  const show = () => {
    onOpen?.();
    setOpen(true);
  };
  return html`<span class="menu-place">
    <button ref=${button} type="button" class=${className} aria-haspopup="menu" aria-expanded=${open} aria-label=${label}
      title=${title} onClick=${() => (open ? close() : show())}
      onKeyDown=${(event) => {
        if (event.key !== "ArrowDown" || open) return;
        event.preventDefault();
        show();
      }}>${children || (icon ? html`<${Icon} name=${icon} />` : label)}</button>
    ${open && html`<${MenuList} label=${label} items=${items} align=${align} anchor=${button.current} onClose=${close} />`}
  </span>`;
}

/** The open menu beside `anchor` (an element, or {x, y}). */
export function MenuList({ label, items, anchor, align = "end", onClose }) {
  const list = useRef();
  const entries = () => [...list.current.querySelectorAll("[role^=menuitem]:not([aria-disabled=true])")];
  useLayoutEffect(() => {
    place(list.current, anchor, align);
    (list.current.querySelector("[aria-checked=true]") || entries()[0])?.focus({ preventScroll: true });
  }, []);
  useEffect(() => {
    const outside = ({ target }) => {
      if (!list.current?.contains(target) && !(anchor?.contains?.(target))) onClose(false);
    };
    const away = () => onClose(false);
    document.addEventListener("pointerdown", outside);
    addEventListener("resize", away);
    return () => {
      document.removeEventListener("pointerdown", outside);
      removeEventListener("resize", away);
    };
  }, []);
  const choose = (item) => {
    if (item.disabled) return;
    onClose(true);
    item.run?.();
  };
  const onKeyDown = (event) => {
    const all = entries();
    const at = all.indexOf(document.activeElement);
    const go = (index) => all[(index + all.length) % all.length]?.focus();
    const moves = { ArrowDown: () => go(at + 1), ArrowUp: () => go(at - 1), Home: () => go(0), End: () => go(all.length - 1),
      Escape: () => onClose(true), Tab: () => onClose(true) };
    const letter = event.key.length === 1 && !event.ctrlKey && !event.metaKey && event.key !== " "
      && [...all.slice(at + 1), ...all].find((each) => each.textContent.trim().toLowerCase().startsWith(event.key.toLowerCase()));
    if (!moves[event.key] && !letter) return;
    event.stopPropagation();
    event.preventDefault();
    if (moves[event.key]) moves[event.key]();
    else letter.focus();
  };
  return html`<div ref=${list} class="menu" role="menu" aria-label=${label} onKeyDown=${onKeyDown}>
    ${items.map((item, index) => (item ? html`<${Entry} key=${index} item=${item} choose=${choose} />`
      : html`<div key=${index} class="menu-line" role="separator" />`))}</div>`;
}

function Entry({ item, choose }) {
  const role = item.checked === undefined ? "menuitem" : "menuitemradio";
  return html`<button type="button" role=${role} tabindex="-1" class=${`menu-entry ${item.danger ? "danger" : ""}`}
    aria-checked=${item.checked === undefined ? null : String(item.checked)} aria-disabled=${item.disabled ? "true" : null}
    onClick=${() => choose(item)}>
    <span class="menu-icon">${item.icon && html`<${Icon} name=${item.icon} />`}
      ${!item.icon && item.checked && html`<${Icon} name="check" />`}</span>
    <span class="menu-label" dir="auto">${item.label}</span>
    ${item.hint && html`<span class=${`menu-hint ${item.hint.length < 4 ? "of-key" : ""}`}>${item.hint}</span>`}</button>`;
}

/** Puts the menu beside its anchor, inside of the window. */
function place(menu, anchor, align) {
  const box = anchor?.getBoundingClientRect ? anchor.getBoundingClientRect()
    : { left: anchor?.x || 0, right: anchor?.x || 0, top: anchor?.y || 0, bottom: anchor?.y || 0 };
  const { offsetWidth: width, offsetHeight: height } = menu;
  const left = align === "end" ? box.right - width : box.left;
  const below = box.bottom + 4 + height <= innerHeight || box.top < height;
  menu.style.left = `${Math.max(8, Math.min(left, innerWidth - width - 8))}px`;
  menu.style.top = `${Math.max(8, Math.min(below ? box.bottom + 4 : box.top - height - 4, innerHeight - height - 8))}px`;
}
