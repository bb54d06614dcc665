// Addresses of the page. Links are ordinary <a href="/…">; a click on one changes the view without loading the page anew.
import { useEffect, useState } from "/lib/preact.js";

const views = ["today", "upcoming", "all", "done", "chat", "usage", "notifications", "preferences", "operator", "about"];
const listeners = new Set();
let route = read();

/** {path, view, tag, taskId, query, list}: `list` is the address of the list that lies behind the panel of a task. */
function read() {
  const { pathname: path, search } = location;
  const query = new URLSearchParams(search);
  const [, first = "", second = ""] = path.split("/");
  const list = history.state?.list || "/today";
  if (first === "task") return { path, view: "task", taskId: Number(second) || 0, tag: "", query, list };
  if (first === "tag") return { path, view: "tag", tag: decode(second), taskId: 0, query, list: path };
  if (first === "search") return { path, view: "search", tag: "", taskId: 0, query, list: path + search };
  const view = first === "" || first === "signed-in" ? "today" : views.includes(first) ? first : "unknown";
  return { path, view, tag: "", taskId: 0, query, list: path };
}

function decode(text) {
  try {
    return decodeURIComponent(text);
  } catch {
    return text;
  }
}

const listViews = new Set(["today", "upcoming", "all", "done", "tag", "search"]);

function change() {
  const before = route;
  route = read();
  listeners.forEach((listen) => listen(route, before));
}

/** Goes to `path`. The panel of a task keeps the list behind it. */
function go(path, { replace = false } = {}) {
  const url = new URL(path, location.href);
  if (url.href === location.href) return;
  const list = listViews.has(route.view) ? route.path + location.search : route.view === "task" ? route.list : "/today";
  const state = url.pathname.startsWith("/task/") ? { list } : null;
  history[replace ? "replaceState" : "pushState"](state, "", url);
  change();
}

export const router = {
  get route() { return route; },
  go,
  /** Closes the panel of a task: back to its list. */
  close() { go(route.list || "/today"); },
  subscribe(listen) {
    listeners.add(listen);
    return () => listeners.delete(listen);
  },
};

export function useRoute() {
  const [present, set] = useState(route);
  useEffect(() => {
    set(route);
    return router.subscribe(set);
  }, []);
  return present;
}

addEventListener("popstate", change);
addEventListener("click", (event) => {
  const link = event.target.closest?.("a[href]");
  if (!link || event.defaultPrevented || event.button !== 0 || event.metaKey || event.ctrlKey || event.shiftKey || event.altKey) return;
  if (link.origin !== location.origin || link.target || link.hasAttribute("download") || link.pathname.startsWith("/lib/")) return;
  if (link.hash && link.pathname === location.pathname) return;
  event.preventDefault();
  go(link.href);
});
