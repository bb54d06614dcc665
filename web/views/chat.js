// Chat: a panel beside the lists, and a view of its own on phones. Both show the session of the user.
import { html, useEffect, useLayoutEffect, useRef, useState } from "/lib/preact.js";
import { session as identity } from "../core/session.js";
import { useStore } from "../core/store.js";
import { Icon } from "../ui/icon.js";
import { ChatAnswer } from "./chat_answer.js";
import { chatSession, openQuestion, undoableEntry } from "./chat_session.js";
import { explain, useId } from "./parts.js";

const examples = [
  "add call the dentist tomorrow at 9am p1 #health",
  "I need to water the plants every 3 days",
  "what's on for today?",
  "push the dentist back by two days",
  "I finished buying groceries",
  "how am I doing?",
];

function useChat() {
  const [, redraw] = useState(0);
  const [user, setUser] = useState(identity.state.user);
  useEffect(() => identity.subscribe(() => setUser(identity.state.user)), []);
  const chat = chatSession(user || "");
  useEffect(() => chat.subscribe(() => redraw((was) => was + 1)), [chat]);
  return chat;
}

/** The view at /chat. */
export function ChatView() {
  return html`<div class="v-view v-chat-view"><h1>Chat</h1><${Conversation} /></div>`;
}

/** The panel beside the lists. `onClose`: the panel shall go. */
export function ChatPanel({ onClose }) {
  const id = useId();
  return html`<aside class="v-chat-panel" aria-labelledby=${id}>
    <header class="v-panel-head"><h2 id=${id}>Chat</h2>
      ${onClose && html`<button type="button" class="button quiet icon-only" aria-label="Close chat" onClick=${onClose}>
        <${Icon} name="close" /></button>`}
    </header>
    <${Conversation} focus onClose=${onClose} />
  </aside>`;
}

function Conversation({ focus, onClose }) {
  const chat = useChat();
  const online = useStore((state) => state.online);
  const end = useRef(null);
  const field = useRef(null);
  const size = chat.entries.length;
  const state = chat.entries.map((each) => each.state).join();
  useLayoutEffect(() => { if (end.current) end.current.scrollTop = end.current.scrollHeight; }, [size, state]);
  useEffect(() => { if (focus
    || matchMedia("(pointer: fine)").matches) field.current?.focus({ preventScroll: true }); }, [focus]);
  const say = (text, shown) => {
    if (!text.trim() || chat.sending || !online) return;
    chat.say(text.trim(), shown);
    field.current?.focus({ preventScroll: true });
  };
  const undoable = undoableEntry(chat.entries);
  const question = openQuestion(chat.entries);
  return html`<div class="v-chat"
    onKeyDown=${(event) => { if (event.key === "Escape" && onClose && !chat.draft) onClose(); }}>
    <div class="v-chat-log" ref=${end} role="log" aria-label="Conversation" tabindex="0">
      ${size === 0 ? html`<${Examples} online=${online} onSay=${say} />` : chat.entries
        .map((entry) => html`<${Entry} key=${entry.id}
        entry=${entry} open=${entry.id === question} undoable=${entry.id === undoable} busy=${chat.sending || !online}
        onSay=${say} onRepeat=${() => chat.repeat(entry.id)} />`)}
    </div>
    ${!online && html`<p class="v-strip" role="status">
      <b>You are offline.</b> The chat answers when the network is back. Your lists work meanwhile.</p>`}
    <${Composer} chat=${chat} online=${online} field=${field} onSay=${say} />
  </div>`;
}

function Examples({ online, onSay }) {
  return html`<div class="v-state v-examples">
    <p class="v-state-title">Say it in your own words</p>
    <p>Add tasks, check them off, move them, or ask what is due. A sentence that is not understood changes nothing.</p>
    <ul aria-label="Examples">
      ${examples.map((text) => html`<li key=${text}><button type="button" class="v-example" disabled=${!online}
      onClick=${() => onSay(text)}>${text}</button></li>`)}</ul>
  </div>`;
}

function Entry({ entry, open, undoable, busy, onSay, onRepeat }) {
  const failure = entry.error && explain(entry.error);
  return html`<div class="v-turn">
    <p class="v-mine"><span class="visually-hidden">You: </span><bdi>${entry.shown}</bdi></p>
    ${entry.state === "sending"
      && html`<p class="v-typing" role="status" aria-label="The answer is on its way"><i></i><i></i><i></i></p>`}
    ${entry.state === "failed"
      && html`<div class="v-said v-failed" role="alert"><p><b>${failure.title}.</b> ${failure.advice}</p>
      <div class="v-choices"><button type="button" class="button small" disabled=${busy}
        onClick=${onRepeat}>Send again</button></div>
      <p class="v-hint">Sending it again never does it twice.</p></div>`}
    ${entry.state === "done"
      && html`<${ChatAnswer} answer=${entry.answer} open=${open} undoable=${undoable} busy=${busy} onSay=${onSay} />`}
  </div>`;
}

/** The field: Enter sends, Shift+Enter begins a line, the arrow up brings the last sentence back. */
function Composer({ chat, online, field, onSay }) {
  useLayoutEffect(() => {
    const element = field.current;
    element.style.height = "auto";
    element.style.height = `${Math.min(element.scrollHeight + 2, 160)}px`;
  }, [chat.draft]);
  const send = () => {
    if (!chat.draft.trim() || chat.sending || !online) return;
    const text = chat.draft;
    chat.setDraft("");
    onSay(text);
  };
  const onKey = (event) => {
    if (event.key === "Enter" && !event.shiftKey && !event.isComposing) {
      event.preventDefault();
      send();
    } else if (event.key === "ArrowUp" && !chat.draft && chat.entries.length > 0) {
      event.preventDefault();
      chat.setDraft(chat.entries[chat.entries.length - 1].text);
    }
  };
  return html`<form class="v-composer" onSubmit=${(event) => { event.preventDefault(); send(); }}>
    <textarea ref=${field} rows="1" maxlength="2000" aria-label="Say what to do"
      placeholder="add …, done with …"
      value=${chat.draft} onInput=${(event) => chat.setDraft(event.currentTarget.value)} onKeyDown=${onKey}></textarea>
    <button type="submit" class="button primary icon-only" aria-label="Send" disabled=${!chat.draft.trim()
      || chat.sending || !online}><${Icon} name="send" /></button>
  </form>`;
}
