// The list of shortcuts, from what is bound at the moment.
import { html } from "/lib/preact.js";
import { keys } from "../core/keys.js";
import { preferences } from "../core/preferences.js";
import { ask, Dialog } from "./dialog.js";

let open = false;

export async function openHelp() {
  if (open) return;
  open = true;
  await ask((close) => html`<${Help} onClose=${close} />`);
  open = false;
}

function Help({ onClose }) {
  const groups = new Map();
  for (const { key, help, group = "Everywhere" } of keys.all) {
    const texts = groups.get(group) || groups.set(group, new Map()).get(group);
    const list = texts.get(help) || texts.set(help, []).get(help);
    for (const each of [key].flat()) if (!list.includes(each)) list.push(each);
  }
  return html`<${Dialog} title="Keyboard shortcuts" wide onClose=${onClose}>
    <div class="help-groups">${[...groups].map(([group, texts]) => html`<section key=${group}><h3>${group}</h3>
      <dl>${[...texts].map(([text, list]) => html`<div key=${text}><dt>${text}</dt><dd>${list.map((key, index) => html`
        ${index > 0 ? " or " : ""}<${Keys} name=${key} />`)}</dd></div>`)}</dl></section>`)}</div>
    <p class="dialog-text">${preferences.state.singleKeys === false ? "Shortcuts of a single key are switched off in the preferences."
      : html`Shortcuts of a single key can be switched off in the <a href="/preferences#device" onClick=${() => onClose()}>preferences</a>.`}</p>
  <//>`;
}

const names = { " ": "Space", Escape: "Esc", ArrowDown: "↓", ArrowUp: "↑", ArrowLeft: "←", ArrowRight: "→", Delete: "Del" };

function Keys({ name }) {
  const one = (key) => key.split(/(?<=.)\+/).map((part) => names[part] || (part === "ctrl" ? "Ctrl" : part === "shift" ? "Shift" : part));
  return html`${name.length > 1 ? name.split(" ").map((key, index) => html`${index > 0 ? " " : ""}${one(key).map((part, at) => html`
    ${at > 0 ? "+" : ""}<kbd>${part}</kbd>`)}`) : html`<kbd>${one(name)}</kbd>`}`;
}
