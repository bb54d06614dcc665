// The frame of the page: lists at the side, the view in the middle, chat at the other side, and what is said about the
// connection.
import { html, useEffect, useRef, useState } from "/lib/preact.js";
import { session } from "../core/session.js";
import { router, useRoute } from "../core/router.js";
import { preferences } from "../core/preferences.js";
import { keys } from "../core/keys.js";
import { store, useStore } from "../core/store.js";
import { undoLast } from "../core/undo.js";
import { announce } from "../core/announce.js";
import { BottomBar, Drawer, lists, Nav, pages, TopBar } from "./nav.js";
import { Banner } from "./banner.js";
import { addCommand } from "./commands.js";
import { openHelp, openPalette } from "./later.js";

const titles = { notifications: "Notifications", preferences: "Preferences", about: "About", unknown: "Not found",
  ...Object.fromEntries([...lists, ...pages].map(({ view, label }) => [view, label])) };

function titleOf(route) {
  if (route.view === "tag") return `#${route.tag}`;
  if (route.view !== "task") return titles[route.view] || "Tasks";
  const task = store.state.tasks.get(store.realId(route.taskId));
  return task ? task.title : "Task";
}

/**
 * `useCounts`: hook of the numbers beside the lists; `Bell` and `ChatPanel`: components; `onAdd`: opens the field for a new
 * task; `children`: function of the route that draws the view.
 */
export function Shell({ useCounts, Bell, ChatPanel, onAdd, children }) {
  const route = useRoute();
  const counts = useCounts();
  const [menu, setMenu] = useState(false);
  const [chat, setChat] = useState(() => Boolean(preferences.state.chatOpen) && matchMedia("(min-width: 70.01rem)").matches);
  const showOrHideChat = (open) => {
    setChat(open);
    preferences.setDevice({ chatOpen: open });
  };
  const wide = useWide();
  const title = titleOf(route);
  useEffect(() => { document.title = `${title} · Tasks`; }, [title]);
  useEffect(() => setMenu(false), [route]);
  useShortcuts({ onAdd, toggleChat: () => showOrHideChat(!chat) });
  useFocusOnView(route);
  const bell = Bell && html`<${Bell} />`;
  const shown = { route, counts, chat };
  const showChat = chat && ChatPanel && route.view !== "chat";
  return html`<a class="skip" href="#main" onClick=${(event) => {
    event.preventDefault();
    document.getElementById("main").focus();
  }}>Skip to the tasks</a>
    <div class="frame">
      ${!wide && html`<${TopBar} title=${title} bare=${route.view === "chat"} menu=${menu} onMenu=${() => setMenu(true)} bell=${bell} />`}
      ${wide && html`<${Nav} ...${shown} bell=${bell} onChat=${ChatPanel && (() => showOrHideChat(!chat))} />`}
      ${!wide && menu && html`<${Drawer} ...${shown} onClose=${() => setMenu(false)} />`}
      <main class="main" id="main" tabindex="-1"><${Banner} />${children(route)}</main>
      ${showChat && html`<div class="side"><${ChatPanel} onClose=${() => showOrHideChat(false)} /></div>`}
      ${!wide && html`<${BottomBar} route=${route} onAdd=${onAdd} />`}
    </div>`;
}

const wideScreen = matchMedia("(min-width: 52.01rem)");

/** Hook: the window is wider than a phone's. */
export function useWide() {
  const [wide, set] = useState(wideScreen.matches);
  useEffect(() => {
    const look = () => set(wideScreen.matches);
    wideScreen.addEventListener("change", look);
    return () => wideScreen.removeEventListener("change", look);
  }, []);
  return wide;
}

/** Another view starts at its top, with its name said and the focus on it, unless it took the focus itself. */
function useFocusOnView(route) {
  const before = useRef(route);
  useEffect(() => {
    const was = before.current;
    before.current = route;
    const panel = route.view === "task" || was.view === "task";
    if (was.path === route.path || panel) return undefined;
    scrollTo(0, 0);
    announce(titleOf(route));
    const timer = setTimeout(() => {
      const { activeElement } = document;
      if (!activeElement || activeElement === document.body || activeElement.closest(".topbar")) document.getElementById("main")?.focus({ preventScroll: true });
    }, 50);
    return () => clearTimeout(timer);
  }, [route]);
}

function useShortcuts({ onAdd, toggleChat }) {
  const now = useRef();
  now.current = { onAdd, toggleChat };
  useEffect(() => {
    const go = (path) => () => router.go(path);
    const bound = [
      { key: ["q", "n"], help: "Add a task", run: () => now.current.onAdd() },
      { key: "/", help: "Search", run: go("/search") },
      { key: "ctrl+k", help: "Commands", run: openPalette },
      { key: "?", help: "This help", run: openHelp },
      { key: "u", help: "Undo the last change", run: undoLast },
      { key: "c", help: "Chat", run: () => now.current.toggleChat() },
      { key: "m", help: "Light or dark", run: () => preferences.setDevice({
        theme: document.documentElement.dataset.theme === "dark" ? "light" : "dark" }) },
      { key: "g t", help: "Today", group: "Go to", run: go("/today") },
      { key: "g u", help: "Upcoming", group: "Go to", run: go("/upcoming") },
      { key: "g a", help: "All", group: "Go to", run: go("/all") },
      { key: "g d", help: "Done", group: "Go to", run: go("/done") },
      { key: "g c", help: "Chat", group: "Go to", run: go("/chat") },
      { key: "g s", help: "Usage", group: "Go to", run: go("/usage") },
      { key: "g p", help: "Preferences", group: "Go to", run: go("/preferences") },
    ].map(keys.bind);
    const end = addCommand({ label: "Add a task", icon: "add", hint: "q", run: () => now.current.onAdd() });
    const endChat = addCommand({ label: "Show or hide the chat beside the list", icon: "chat", hint: "c",
      run: () => now.current.toggleChat() });
    const endUndo = addCommand({ label: "Undo the last change", icon: "restore", hint: "u", run: undoLast });
    return () => [...bound, end, endChat, endUndo].forEach((off) => off());
  }, []);
}
