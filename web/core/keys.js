// Keyboard shortcuts: one key ("e"), two in a row ("g t"), or with Control or Command ("ctrl+k"). They never act inside of
// fields and dialogs, except those with ctrl. The user can switch the ones without ctrl off (WCAG 2.1.4).
import { preferences } from "./preferences.js";

const sequenceMs = 1200;
let bindings = [];
let first = "";
let timer = 0;
const longestHoldMs = 3000;
const holders = new Set(); // what these keys are meant for is about to open

export const keys = {
  /** Calls `run(event)` when `key` is pressed and `when()` holds; the latest binding of a key counts. Returns the end. */
  bind(binding) {
    bindings = [binding, ...bindings];
    return () => { bindings = bindings.filter((each) => each !== binding); };
  },
  /** From now on keys outside of fields do nothing, until the returned function is called, or after some seconds. */
  hold() {
    const holder = {};
    holders.add(holder);
    setTimeout(() => holders.delete(holder), longestHoldMs);
    return () => holders.delete(holder);
  },
  /** The bindings with a text for the help, in the order in which they were made. */
  get all() { return [...bindings].reverse().filter((each) => each.help); },
};

const isField = (element) => Boolean(element?.closest?.(
  "input:not([type=checkbox]):not([type=radio]):not([type=button]), textarea, select, [contenteditable=true], [role=combobox]"));

function nameOf(event) {
  const key = event.key.length === 1 ? event.key.toLowerCase() : event.key;
  if (event.ctrlKey || event.metaKey) return `ctrl+${key}`;
  if (event.altKey) return "";
  return key.length > 1 && event.shiftKey ? `shift+${key}` : key;
}

addEventListener("keydown", (event) => {
  if (event.defaultPrevented || event.isComposing || event.repeat && !/^(j|k|Arrow)/.test(event.key)) return;
  const name = nameOf(event);
  if (!name || name === "Shift" || (holders.size > 0 && !isField(event.target))) return;
  const withControl = name.startsWith("ctrl+");
  if (!withControl) {
    if (isField(event.target) || event.target.closest?.("[role=menu], [role=listbox]")) return;
    if (preferences.state.singleKeys === false && name.length === 1) return;
  }
  const fits = (key) => bindings.find((each) => [each.key].flat().includes(key) && (each.inDialogs || withControl
    || !document.querySelector("dialog[open]")) && (!each.when || each.when(event)));
  const found = (first && fits(`${first} ${name}`)) || fits(name);
  clearTimeout(timer);
  first = "";
  if (found) {
    event.preventDefault();
    found.run(event);
  } else if (!withControl && bindings.some((each) => [each.key].flat().some((key) => key.startsWith(`${name} `)))) {
    first = name;
    timer = setTimeout(() => { first = ""; }, sequenceMs);
  }
});
