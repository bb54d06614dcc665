// The start of the page: who is signed in, then the frame with the view of the address. Views other than lists of tasks are
// loaded when they are first opened.
import { html, render, useEffect, useState } from "/lib/preact.js";
import { session } from "./core/session.js";
import { startWorker } from "./core/worker.js";
import { followSession } from "./core/user_data.js";
import { viewStyles } from "./ui/later.js";
import { Shell } from "./ui/shell.js";
import { SignIn } from "./ui/sign_in.js";
import { Toasts } from "./ui/toast.js";
import { TasksView, useCounts, focusQuickAdd, Conflicts } from "./tasks/index.js";

const loaders = {
  chat: () => import("./views/chat.js").then((module) => module.ChatView),
  usage: () => import("./views/usage.js").then((module) => module.UsageView),
  notifications: () => import("./views/notifications.js").then((module) => module.NotificationsView),
  preferences: () => import("./views/preferences_view.js").then((module) => module.PreferencesView),
  operator: () => import("./views/operator.js").then((module) => module.OperatorView),
  about: () => import("./views/about.js").then((module) => module.AboutView),
  bell: () => import("./views/bell.js").then((module) => module.NotificationBell),
  chatPanel: () => import("./views/chat.js").then((module) => module.ChatPanel),
};
const loaded = new Map();

/** A component that is loaded on demand; its styles come with it. */
function useLoaded(name) {
  const [, redraw] = useState(0);
  const [error, setError] = useState(null);
  useEffect(() => {
    if (!name || loaded.has(name)) return;
    setError(null);
    Promise.all([loaders[name](), name === "bell" ? null : viewStyles()]).then(([component]) => {
      loaded.set(name, component);
      redraw((count) => count + 1);
    }, setError);
  }, [name]);
  return { component: loaded.get(name), error };
}

function View({ route }) {
  const name = loaders[route.view] ? route.view : "";
  const { component: Loaded, error } = useLoaded(name);
  if (route.view === "unknown") return html`<${NotFound} />`;
  if (!name) return html`<${TasksView} route=${route} />`;
  if (Loaded) return html`<${Loaded} route=${route} />`;
  return html`<div class="page-wait">${error ? html`<p role="alert">This view could not be loaded. Check the connection, then
    <button type="button" class="button small" onClick=${() => location.reload()}>load the page again</button></p>`
    : html`<span class="spinner" role="img" aria-label="Loading"></span>`}</div>`;
}

function NotFound() {
  return html`<div class="page-wait"><div><h1>There is nothing here</h1><p>The address is not one of this page.
    <a href="/today">Go to Today</a></p></div></div>`;
}

/** Draws after the lists, which matter more. */
function Bell() {
  const [late, set] = useState(false);
  useEffect(() => {
    const timer = setTimeout(() => set(true), 300);
    return () => clearTimeout(timer);
  }, []);
  const { component: Loaded } = useLoaded(late ? "bell" : "");
  return Loaded ? html`<${Loaded} />` : null;
}

function ChatPanel({ onClose }) {
  const { component: Loaded } = useLoaded("chatPanel");
  return Loaded ? html`<${Loaded} onClose=${onClose} />` : null;
}

function App() {
  const [state, set] = useState(session.state);
  useEffect(() => {
    set(session.state); // it may have changed before the first paint
    return session.subscribe(set);
  }, []);
  if (state.status === "loading") return html`<div class="page-wait"><span class="spinner" role="img" aria-label="Loading"></span></div>`;
  return html`${state.status === "signed-in"
    ? html`<${Shell} key=${session.key} useCounts=${useCounts} Bell=${Bell} ChatPanel=${ChatPanel} onAdd=${focusQuickAdd}>
        ${(route) => html`<${View} route=${route} />`}<//><${Conflicts} />`
    : html`<${SignIn} state=${state} />`}<${Toasts} />`;
}

const place = document.getElementById("app");
place.textContent = "";
render(html`<${App} />`, place);
followSession();
session.start();
startWorker();
