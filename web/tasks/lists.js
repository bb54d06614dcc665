// The views of tasks: which tasks, in which order, and what an empty one says.
import { html, useState } from "/lib/preact.js";
import { localTexts } from "../core/browser.js";
import { today } from "../core/dates.js";
import { usePreferences } from "../core/preferences.js";
import { useStore, store } from "../core/store.js";
import { Icon } from "../ui/icon.js";
import { Menu } from "../ui/menu.js";
import { moveToDay } from "./actions.js";
import { Empty } from "./empty.js";
import { ListView } from "./list_view.js";
import { Panel } from "./later.js";
import { hasQuickAdd, QuickAdd } from "./quick_add.js";
import { SearchField, wordsOf } from "./search.js";
import { acceptsOf, overdueTasks, useCounts, useTaskList } from "./selectors.js";

const titles = { today: "Today", upcoming: "Upcoming", all: "All", done: "Done", search: "Search" };
const sortNames = { due: "Due date", priority: "Priority", title: "Title", created: "Newest first", updated: "Changed last", completed: "Completed last" };
const groupNames = { none: "No groups", date: "By date", priority: "By priority", tag: "By tag", completed: "By day of completion", state: "Open and done" };
const defaults = {
  today: { sort: "due", group: "date" }, upcoming: { sort: "due", group: "date" }, all: { sort: "due", group: "none" },
  done: { sort: "completed", group: "completed" }, tag: { sort: "due", group: "none" }, search: { sort: "updated", group: "state" },
};
const sortsOf = (view) => (view === "done" ? ["completed", "title", "priority"] : ["due", "priority", "title", "created", "updated"]);
const groupsOf = (view) => (view === "done" ? ["completed", "priority", "tag", "none"]
  : view === "search" ? ["state", "date", "priority", "tag", "none"] : ["none", "date", "priority", "tag"]);

/** The list that an address shows: {view, tag, text}. Behind the panel of a task it is the list one came from. */
export function listOf(route) {
  if (route.view !== "task") return { view: titles[route.view] || route.view === "tag" ? route.view : "today", tag: route.tag, text: route.query.get("q") || "" };
  const url = new URL(route.list || "/today", location.origin);
  const [, first, second = ""] = url.pathname.split("/");
  let tag = second;
  try { tag = decodeURIComponent(second); } catch { /* as it is written */ }
  return { view: titles[first] || first === "tag" ? first : "today", tag, text: url.searchParams.get("q") || "" };
}

function useOptions(view) {
  const key = `todo.view.${view}`;
  const read = () => ({ ...defaults[view], ...localTexts.read(key) });
  const [, redraw] = useState(0);
  const set = (fields) => {
    localTexts.set(key, JSON.stringify({ ...read(), ...fields }));
    redraw((count) => count + 1);
  };
  return [read(), set];
}

export function TasksView({ route }) {
  const { view, tag, text } = listOf(route);
  const ready = useStore((state) => state.ready || state.tasks.size > 0);
  const openId = route.view === "task" ? store.realId(route.taskId) : 0;
  return html`<div class=${`t-split ${openId ? "with-panel" : ""}`}>
    <div class="t-view"><${List} key=${`${view} ${tag}`} view=${view} tag=${tag} text=${text} ready=${ready} openId=${openId} /></div>
    ${openId !== 0 && html`<${Panel} key=${store.firstId(openId)} id=${openId} ready=${ready} />`}
  </div>`;
}

function List({ view, tag, text, ready, openId }) {
  const [{ sort, group }, setOptions] = useOptions(view);
  usePreferences();
  const words = view === "search" ? wordsOf(text) : [];
  const list = useTaskList({ accepts: acceptsOf({ view, tag, words }), sort, group }, [view, tag, words.join(" "), sort, group]);
  const title = view === "tag" ? `#${tag}` : titles[view];
  const total = list.items.length;
  return html`<header class="t-top"><h1 dir="auto">${title}</h1>
      ${ready && total > 0 && html`<span class="t-total" aria-label=${`${total} tasks`}>${total}</span>`}
      <span class="t-top-space"></span>
      <${Options} view=${view} sort=${sort} group=${group} set=${setOptions} /></header>
    ${view === "search" && html`<${SearchField} text=${text} total=${total} />`}
    ${hasQuickAdd(view) && html`<${QuickAdd} view=${view} tag=${tag} />`}
    ${view === "today" && html`<${Overdue} />`}
    ${!ready ? html`<div class="t-skeleton" role="status" aria-label="Loading the tasks"><span></span><span></span><span></span><span></span></div>`
      : total === 0 ? html`<${Empty} view=${view} tag=${tag} text=${text} />`
        : html`<${ListView} list=${list} label=${`Tasks: ${title}`} openId=${openId} />`}`;
}

function Options({ view, sort, group, set }) {
  const items = [...sortsOf(view).map((name) => ({ label: sortNames[name], checked: sort === name, run: () => set({ sort: name }) })), null,
    ...groupsOf(view).map((name) => ({ label: groupNames[name], checked: group === name, run: () => set({ group: name }) }))];
  return html`<${Menu} label="Sort and group" title="Sort and group" icon="sort" items=${items} />`;
}

function Overdue() {
  const { overdue } = useCounts();
  const { zone } = usePreferences();
  if (overdue === 0) return null;
  return html`<p class="t-overdue"><span>${overdue === 1 ? "1 task is overdue." : `${overdue} tasks are overdue.`}</span>
    <button type="button" class="button small" onClick=${() => moveToDay(overdueTasks(), today(zone))}><${Icon} name="today" />Move ${overdue === 1 ? "it" : "all"} to today</button></p>`;
}
