// Search as you type, in titles, tags and descriptions. The text is part of the address.
import { html, useEffect, useRef, useState } from "/lib/preact.js";
import { announce } from "../core/announce.js";
import { router } from "../core/router.js";
import { Icon } from "../ui/icon.js";
import { fold } from "./selectors.js";

export const wordsOf = (text) => fold(text).split(/\s+/).filter(Boolean);

export function SearchField({ text, total }) {
  const field = useRef();
  const [typed, setTyped] = useState(text);
  useEffect(() => {
    if (router.route.view === "search") field.current.focus();
  }, []);
  useEffect(() => { if (text !== typed.trim() && document.activeElement !== field.current) setTyped(text); }, [text]);
  useEffect(() => {
    if (!text) return undefined;
    const timer = setTimeout(() => announce(total === 1 ? "1 task found" : `${total} tasks found`), 700);
    return () => clearTimeout(timer);
  }, [text, total]);
  const change = (value) => {
    setTyped(value);
    router.go(value.trim() ? `/search?q=${encodeURIComponent(value.trim())}` : "/search", { replace: true });
  };
  return html`<div class="t-search" role="search"><${Icon} name="search" />
    <input ref=${field} type="search" aria-label="Search tasks" placeholder="Search titles, tags and descriptions" autocomplete="off" dir="auto"
      value=${typed} onInput=${(event) => change(event.currentTarget.value)} onKeyDown=${(event) => {
        if (event.key === "Escape") {
          if (typed) change("");
          else field.current.blur();
        } else if (event.key === "ArrowDown" || event.key === "Enter") {
          event.preventDefault();
          document.querySelector(".t-list .t-title")?.focus();
        }
      }} /></div>`;
}
