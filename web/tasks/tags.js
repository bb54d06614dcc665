// Choosing tags for one task or several.
import { html, useRef, useState } from "/lib/preact.js";
import { ask, Dialog } from "../ui/dialog.js";
import { setTags } from "./actions.js";
import { allTags, fold } from "./selectors.js";

const longest = 50;

export async function chooseTags(tasks) {
  if (tasks.length === 0) return;
  const answer = await ask((close) => html`<${TagDialog} tasks=${tasks} onClose=${close} />`);
  if (answer) setTags(tasks, answer.add, answer.remove);
}

/** Each tag is on all tasks (true), on none (false) or on some (null: it stays so until it is clicked). */
function stateOf(tasks) {
  const state = new Map();
  for (const tag of new Set(tasks.flatMap((task) => task.tags))) {
    state.set(tag, tasks.every((task) => task.tags.includes(tag)) ? true : null);
  }
  return state;
}

function TagDialog({ tasks, onClose }) {
  const [state, setState] = useState(() => stateOf(tasks));
  const [text, setText] = useState("");
  const field = useRef();
  const wanted = text.trim().replace(/^#/, "");
  const known = [...new Set([...state.keys(), ...allTags()])].filter((tag) => fold(tag).includes(fold(wanted))).slice(0, 60);
  const set = (tag, value) => setState(new Map(state).set(tag, value));
  const addTyped = () => {
    set(known.find((tag) => fold(tag) === fold(wanted)) || wanted, true);
    setText("");
    field.current.focus();
  };
  const save = () => {
    const final = new Map(state);
    if (wanted) final.set(known.find((tag) => fold(tag) === fold(wanted)) || wanted, true);
    onClose({ add: [...final].filter(([, value]) => value === true).map(([tag]) => tag),
      remove: [...final].filter(([, value]) => value === false).map(([tag]) => tag) });
  };
  return html`<${Dialog} title=${tasks.length === 1 ? "Tags" : `Tags of ${tasks.length} tasks`} onClose=${() => onClose(null)}>
    <form class="t-form" onSubmit=${(event) => {
      event.preventDefault();
      if (wanted) addTyped();
      else save();
    }}>
      <label>Find or make a tag<input ref=${field} type="text" data-autofocus autocomplete="off" maxlength=${longest} dir="auto" value=${text}
        onInput=${(event) => setText(event.currentTarget.value)} /></label>
      <div class="t-tag-choices" role="group" aria-label="Tags">
        ${known.map((tag) => html`<label key=${tag} class="t-tag-choice"><input type="checkbox" checked=${state.get(tag) === true}
          indeterminate=${state.has(tag) && state.get(tag) === null} onChange=${(event) => set(tag, event.currentTarget.checked)} />
          <span dir="auto">${tag}</span></label>`)}
        ${wanted && !known.some((tag) => fold(tag) === fold(wanted)) && html`<button type="button" class="t-chip add" onClick=${addTyped}>Make “${wanted}”</button>`}
        ${known.length === 0 && !wanted && html`<p class="t-hint">No tags yet. Write one above, or add a task with “#home” in it.</p>`}
      </div>
      <div class="dialog-actions"><button type="button" class="button" onClick=${() => onClose(null)}>Cancel</button>
        <button type="button" class="button primary" onClick=${save}>Save</button></div>
    </form><//>`;
}
