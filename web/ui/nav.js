// The list of lists at the side, and its smaller relatives on phones.
import { html, useEffect, useRef, useState } from "/lib/preact.js";
import { lines } from "../core/drafts.js";
import { session } from "../core/session.js";
import { preferences, usePreferences } from "../core/preferences.js";
import { router } from "../core/router.js";
import { store } from "../core/store.js";
import { Icon } from "./icon.js";
import { Menu } from "./menu.js";
import { confirm, Dialog } from "./dialog.js";
import { openHelp, openPalette } from "./later.js";

export const lists = [
  { view: "today", path: "/today", label: "Today", icon: "today" },
  { view: "upcoming", path: "/upcoming", label: "Upcoming", icon: "upcoming" },
  { view: "all", path: "/all", label: "All", icon: "all" },
  { view: "done", path: "/done", label: "Done", icon: "done" },
];

export const pages = [
  { view: "search", path: "/search", label: "Search", icon: "search" },
  { view: "chat", path: "/chat", label: "Chat", icon: "chat" },
  { view: "usage", path: "/usage", label: "Usage", icon: "chart" },
  { view: "operator", path: "/operator", label: "Operator", icon: "operator", operator: true },
];

/** The view that the navigation marks: behind the panel of a task lies a list. */
function marked(route) {
  return route.view === "task" ? route.list.split("?")[0] : route.path === "/" ? "/today" : route.path;
}

function Link({ path, label, icon, count = 0, late = 0, here }) {
  const said = `, ${count} ${count === 1 ? "task" : "tasks"}${late ? `, ${late} overdue` : ""}`;
  return html`<li><a class="nav-link" href=${path} aria-current=${here ? "page" : null}>
    <${Icon} name=${icon} /><span class="nav-label" dir="auto">${label}</span>
    ${count > 0 && html`<span class=${`nav-count ${late ? "late" : ""}`} aria-hidden="true">${count}</span>
      <span class="visually-hidden">${said}</span>`}</a></li>`;
}

/**
 * `counts`: {today, overdue, upcoming, all, done, tags: [{tag, count}]}; `onChat`, on wide screens: shows the chat beside
 * the list, or hides it; `onClose`, in a drawer: closes it.
 */
export function Nav({ route, counts, bell, onClose, chat, onChat }) {
  const here = marked(route);
  const { operator } = session.state;
  const instead = (open) => () => {
    onClose?.();
    open();
  };
  return html`<nav class="nav" aria-label="Lists" onClick=${(event) => event.target.closest("a") && onClose?.()}>
      <div class="nav-head"><${Person} onHelp=${instead(openHelp)} />${bell}
        ${onChat && html`<button type="button" class="button quiet icon-only" aria-label="Chat beside the list" title="Chat (c)"
          aria-pressed=${chat ? "true" : "false"} onClick=${onChat}><${Icon} name="chat" /></button>`}
        <button type="button" class="button quiet icon-only" aria-label="Search and commands" title="Commands (Ctrl+K)"
          onClick=${instead(openPalette)}><${Icon} name="palette" /></button>
        ${onClose && html`<button type="button" class="button quiet icon-only" aria-label="Close the lists" onClick=${onClose}>
          <${Icon} name="close" /></button>`}</div>
      <ul>${lists.map((each) => html`<${Link} key=${each.view} ...${each} here=${here === each.path}
        count=${counts[each.view]} late=${each.view === "today" ? counts.overdue : 0} />`)}</ul>
      ${counts.tags?.length > 0 && html`<h2 class="nav-title" id="nav-tags">Tags</h2>
        <ul aria-labelledby="nav-tags">${counts.tags.map(({ tag, count }) => {
          const path = `/tag/${encodeURIComponent(tag)}`;
          return html`<${Link} key=${tag} path=${path} label=${tag} icon="tag" count=${count} here=${here === path} />`;
        })}</ul>`}
      <div class="nav-foot"><ul>${pages.filter((each) => operator || !each.operator).map((each) => html`<${Link} key=${each.view}
        ...${each} here=${here === each.path} />`)}</ul></div>
    </nav>`;
}

/** The lists on phones: a modal drawer. Its focus starts at the present list, and goes back to the button that opened it. */
export function Drawer(properties) {
  return html`<${Dialog} label="Lists" className="drawer" start="[aria-current]" onClose=${properties.onClose}>
    <${Nav} ...${properties} /><//>`;
}

function Person({ onHelp }) {
  const { name } = session.state;
  const wishes = usePreferences();
  const theme = (value, label, icon) => ({ label, icon, checked: wishes.theme === value,
    run: () => preferences.setDevice({ theme: value }) });
  return html`<${Menu} label=${`Account of ${name}`} className="person" align="start" items=${[
    { label: "Preferences", icon: "settings", run: () => router.go("/preferences") },
    { label: "Notifications", icon: "bell", run: () => router.go("/notifications") },
    { label: "Keyboard shortcuts", icon: "keyboard", hint: "?", run: onHelp },
    { label: "About", icon: "info", run: () => router.go("/about") },
    null,
    theme("light", "Light", "sun"), theme("dark", "Dark", "moon"), theme("system", "Like the system", "system"),
    null,
    { label: "Sign out", icon: "logout", run: leave },
  ]}><span class="avatar" data-letter=${[...name.trim()][0]?.toUpperCase() || "?"} aria-hidden="true"></span>
    <span class="person-name" dir="auto">${name}</span><//>`;
}

/** Signs out; the copy in this browser goes, so waiting changes would be lost. */
export async function leave() {
  const waiting = store.state.pending.length + lines.of(session.key).length;
  if (waiting > 0 && !(await confirm({ title: "Sign out and lose changes?", danger: true, confirmLabel: "Sign out",
    text: `${waiting === 1 ? "1 change was" : `${waiting} changes were`} not sent yet. Signing out deletes this browser's copy, and with it what waits.` }))) return;
  await session.signOut();
}

/** The name of the view is in the bar while its heading is not to be seen. `bare`: the view shows none. */
export function TopBar({ title, bare, menu, onMenu, bell }) {
  const bar = useRef();
  const [passed, set] = useState(false);
  useEffect(() => {
    const look = () => set(document.querySelector("#main h1")?.getBoundingClientRect().bottom < bar.current.offsetHeight);
    addEventListener("scroll", look, { passive: true });
    return () => removeEventListener("scroll", look);
  }, []);
  return html`<header ref=${bar} class="topbar">
    <button type="button" class="button quiet icon-only" aria-label="Show the lists" aria-haspopup="dialog" aria-expanded=${String(menu)}
      onClick=${onMenu}><${Icon} name="menu" /></button>
    <span class="topbar-title" dir="auto" aria-hidden="true">${(passed || bare) && title}</span>${bell}
    <button type="button" class="button quiet icon-only" aria-label="Search and commands" onClick=${openPalette}>
      <${Icon} name="palette" /></button></header>`;
}

export function BottomBar({ route, onAdd }) {
  const here = marked(route);
  const link = (path, label, icon) => html`<a href=${path} aria-current=${here === path ? "page" : null}>
    <${Icon} name=${icon} /><span class="bar-label">${label}</span></a>`;
  return html`<nav class="bottombar" aria-label="Main">${link("/today", "Today", "today")}${link("/upcoming", "Upcoming", "upcoming")}
    <button type="button" aria-label="New task" onClick=${onAdd}><span class="add-face"><${Icon} name="add" /></span></button>
    ${link("/search", "Search", "search")}${link("/chat", "Chat", "chat")}</nav>`;
}
