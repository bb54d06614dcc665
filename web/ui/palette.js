// The palette (Ctrl+K): commands, lists and tasks by a part of their name.
import { html, useEffect, useMemo, useRef, useState } from "/lib/preact.js";
import { router } from "../core/router.js";
import { session } from "../core/session.js";
import { preferences } from "../core/preferences.js";
import { store } from "../core/store.js";
import { ask, Dialog } from "./dialog.js";
import { Icon } from "./icon.js";
import { commands } from "./commands.js";
import { openHelp } from "./later.js";

const mostTasks = 12;
let open = false;

export async function openPalette() {
  if (open) return;
  open = true;
  const chosen = await ask((close) => html`<${Palette} onClose=${close} />`);
  open = false;
  chosen?.run();
}

const go = (path) => () => router.go(path);

function fixed() {
  const theme = preferences.state.theme;
  return [
    { label: "Go to Today", icon: "today", hint: "g t", run: go("/today") },
    { label: "Go to Upcoming", icon: "upcoming", hint: "g u", run: go("/upcoming") },
    { label: "Go to All", icon: "all", hint: "g a", run: go("/all") },
    { label: "Go to Done", icon: "done", hint: "g d", run: go("/done") },
    { label: "Search", icon: "search", hint: "/", run: go("/search") },
    { label: "Chat", icon: "chat", run: go("/chat") },
    { label: "Usage", icon: "chart", run: go("/usage") },
    { label: "Notifications", icon: "bell", run: go("/notifications") },
    { label: "Preferences", icon: "settings", run: go("/preferences") },
    ...(session.state.operator ? [{ label: "Operator", icon: "operator", run: go("/operator") }] : []),
    { label: "About", icon: "info", run: go("/about") },
    { label: "Keyboard shortcuts", icon: "keyboard", hint: "?", run: openHelp },
    ...[["light", "sun"], ["dark", "moon"], ["system", "system"]].filter(([name]) => name !== theme).map(([name, icon]) => ({
      label: `Theme: ${name}`, icon, run: () => preferences.setDevice({ theme: name }) })),
    { label: "Sign out", icon: "logout", run: () => import("./nav.js").then(({ leave }) => leave()) },
  ];
}

const fold = (text) => text.toLowerCase().normalize("NFD").replace(/\p{M}/gu, "");

function find(text) {
  const words = fold(text).split(/\s+/).filter(Boolean);
  const fits = (label) => words.every((word) => label.includes(word));
  const all = [...[...commands.values()].filter((each) => !each.when || each.when()), ...fixed()];
  const found = all.filter((each) => fits(fold(each.label)));
  if (words.length === 0) return found;
  const tags = new Set();
  const open = [];
  const done = [];
  for (const task of store.state.tasks.values()) {
    for (const tag of task.tags) if (fits(fold(`#${tag}`))) tags.add(tag);
    const place = task.completed ? done : open;
    if (place.length < mostTasks && fits(fold(task.title))) place.push(task);
    if (open.length >= mostTasks) break;
  }
  return [...found.slice(0, 8),
    ...[...tags].slice(0, 5).map((tag) => ({ label: `#${tag}`, icon: "tag", hint: "tag", run: go(`/tag/${encodeURIComponent(tag)}`) })),
    ...[...open, ...done].slice(0, mostTasks).map((task) => ({ label: task.title, icon: task.completed ? "done" : "check",
      hint: task.completed ? "done" : "task", run: go(`/task/${task.id}`) })),
    { label: `Search for “${text.trim()}”`, icon: "search", run: go(`/search?q=${encodeURIComponent(text.trim())}`) }];
}

function Palette({ onClose }) {
  const [text, setText] = useState("");
  const [at, setAt] = useState(0);
  const field = useRef();
  const list = useRef();
  const entries = useMemo(() => find(text), [text]);
  useEffect(() => { field.current.focus(); }, []);
  useEffect(() => { list.current?.children[at]?.scrollIntoView({ block: "nearest" }); }, [at, entries]);
  const onKeyDown = (event) => {
    const move = { ArrowDown: 1, ArrowUp: -1 }[event.key];
    if (move) setAt((at + move + entries.length) % Math.max(1, entries.length));
    else if (event.key === "Enter" && !event.isComposing && entries[at]) onClose(entries[at]);
    else return;
    event.preventDefault();
  };
  return html`<${Dialog} title="Commands" hideTitle wide className="palette" onClose=${() => onClose()}>
    <div class="palette-field"><${Icon} name="search" />
      <input ref=${field} type="text" role="combobox" aria-label="Find a command, a list or a task" aria-expanded="true"
        aria-controls="palette-list" aria-activedescendant=${entries[at] ? `palette-${at}` : null} autocomplete="off"
        placeholder="Find a command, a list or a task" spellcheck="false" value=${text} onKeyDown=${onKeyDown}
        onInput=${(event) => {
          setText(event.currentTarget.value);
          setAt(0);
        }} /></div>
    ${entries.length === 0 ? html`<p class="palette-none">Nothing has this name.</p>`
      : html`<ul ref=${list} class="palette-list" id="palette-list" role="listbox" aria-label="Results">
        ${entries.map((entry, index) => html`<li key=${index} id=${`palette-${index}`} role="option" class="palette-entry"
          aria-selected=${index === at ? "true" : "false"} onPointerMove=${() => index !== at && setAt(index)}
          onClick=${() => onClose(entry)}><${Icon} name=${entry.icon || "chevron"} />
          <span class="palette-label" dir="auto">${entry.label}</span>
          ${entry.hint && html`<span class="palette-hint">${entry.hint}</span>`}</li>`)}</ul>`}
  <//>`;
}
