// The rows of a view: choosing with keys and pointer, menus, and what keys do to the chosen tasks.
import { html, useEffect, useLayoutEffect, useRef, useState } from "/lib/preact.js";
import { announce } from "../core/announce.js";
import { keys } from "../core/keys.js";
import { usePreferences } from "../core/preferences.js";
import { router } from "../core/router.js";
import { store } from "../core/store.js";
import { MenuList } from "../ui/menu.js";
import { deleteTasks, setPriority, toggleCompleted } from "./actions.js";
import { dueItems } from "./due_menu.js";
import { Row } from "./row.js";
import { VirtualList } from "./virtual_list.js";
import { BulkBar, chooseTags, moreItems, reminderItems } from "./later.js";

export const priorityItems = (tasks) => [["high", "High"], ["medium", "Medium"], ["low", "Low"]].map(([value, label]) => ({
  label, icon: "flag", checked: tasks.every((task) => task.priority === value), run: () => setPriority(tasks, value) }));

const menus = { due: { label: "Due date", items: dueItems }, priority: { label: "Priority", items: priorityItems },
  reminder: { label: "Reminder", items: ([task]) => reminderItems(task) }, more: { label: "More", items: ([task], ops) => moreItems(task, ops) } };

/** `list`: a TaskList; `openId`: the task in the panel. */
export function ListView({ list, label, openId }) {
  const prefs = usePreferences();
  const rows = list.rows(prefs);
  const total = list.items.length;
  const [current, setCurrent] = useState(0);
  const [selected, setSelected] = useState(() => new Set());
  const [editing, setEditing] = useState(null);
  const [popup, setPopup] = useState(null);
  const handle = useRef();
  const place = useRef();
  const now = useRef({});
  const ops = useRef();
  const focused = Number(place.current?.contains(document.activeElement) && document.activeElement.closest("[data-id]")?.dataset.id);
  Object.assign(now.current, { rows, list, current, selected, openId, focused });
  ops.current ||= makeOps({ now, setCurrent, setSelected, setEditing, setPopup, handle, place });
  useEffect(() => setSelected(new Set()), [list]);
  useFollow({ now, rows, current, setCurrent, ops: ops.current });
  useListKeys(ops.current, now);
  const chosen = [...selected].map((id) => store.state.tasks.get(id)).filter(Boolean);
  const tabId = list.byId.has(current) ? current : list.items[0]?.entry.id;
  const draw = (row, at) => (row.head
    ? html`<li key=${row.key} class="t-head" data-at=${at}><h2 dir="auto">${row.label}</h2><span class="t-head-count" aria-label=${`${row.count} tasks`}>${row.count}</span></li>`
    : html`<${Row} key=${row.key} task=${row.task} at=${at} selected=${selected.has(row.task.id)} current=${row.task.id === tabId}
        editing=${editing?.id === row.task.id} prefs=${prefs} position=${row.position} total=${total} selecting=${selected.size > 0}
        open=${row.task.id === openId} ops=${ops.current} />`);
  return html`<div ref=${place} class="t-rows">
    <${VirtualList} rows=${rows} draw=${draw} label=${label} handle=${handle} />
    ${popup && html`<${MenuList} key=${popup.key} label=${menus[popup.kind].label} items=${popup.items}
      anchor=${popup.anchor} align="start" onClose=${(back) => ops.current.closePopup(back)} />`}
    ${chosen.length > 0 && html`<${BulkBar} tasks=${chosen} ops=${ops.current} />`}
  </div>`;
}

function makeOps({ now, setCurrent, setSelected, setEditing, setPopup, handle, place }) {
  const drafts = new Map();
  let before = null;
  const linkOf = (id) => place.current?.querySelector(`[data-id="${id}"] .t-title`);
  const ops = {
    draft: (id) => drafts.get(id),
    /** Puts the focus on a task, which is scrolled into the window first. */
    go(id) {
      const { rows } = now.current;
      const index = rows.findIndex((row) => row.key === id);
      if (index < 0) return;
      setCurrent(id);
      handle.current.reveal(index);
      requestAnimationFrame(() => requestAnimationFrame(() => linkOf(id)?.focus({ preventScroll: true })));
    },
    focus: (task) => setCurrent(task.id),
    step(by) {
      const { list, current } = now.current;
      const at = list.indexOf(current);
      const inside = place.current.contains(document.activeElement);
      const next = at < 0 || (!inside && by > 0) ? Math.max(0, at) : Math.max(0, Math.min(list.items.length - 1, at + by));
      if (list.items[next]) ops.go(list.items[next].entry.id);
    },
    toggle(task) {
      const next = new Set(now.current.selected);
      if (!next.delete(task.id)) next.add(task.id);
      ops.select(next);
    },
    select(next) {
      setSelected(next);
      announce(next.size === 0 ? "Nothing selected" : `${next.size} selected`);
    },
    selectTo(task) {
      const { list, current, selected } = now.current;
      const ids = list.items.map(({ entry }) => entry.id);
      const [from, to] = [ids.indexOf(current), ids.indexOf(task.id)].sort((one, other) => one - other);
      ops.select(new Set([...selected, ...ids.slice(Math.max(0, from), to + 1)]));
    },
    click(event, task) {
      const control = event.target.closest("button, input, .t-tag");
      if (event.ctrlKey || event.metaKey || event.shiftKey) {
        event.preventDefault();
        event.stopPropagation();
        if (event.shiftKey) ops.selectTo(task);
        else ops.toggle(task);
        getSelection()?.removeAllRanges();
      } else if (!control && now.current.selected.size > 0) {
        event.preventDefault();
        ops.toggle(task);
      } else if (!control && !event.target.closest("a")) {
        router.go(`/task/${task.id}`);
      }
      setCurrent(task.id);
    },
    edit(task, text) {
      if (text !== undefined) drafts.set(task.id, text);
      setEditing({ id: task.id });
    },
    endEdit(task) {
      drafts.delete(task.id);
      setEditing(null);
      if (place.current?.contains(document.activeElement)) setTimeout(() => linkOf(task.id)?.focus({ preventScroll: true }));
    },
    menu(kind, task, anchor) { ops.openMenu(kind, [task], anchor); },
    async openMenu(kind, tasks, anchor) {
      before = document.activeElement;
      const items = await menus[kind].items(tasks, ops);
      if (items) setPopup({ kind, items, anchor, key: `${kind} ${tasks[0].id}` });
    },
    closePopup(back) {
      setPopup(null);
      if (back && before?.isConnected) before.focus({ preventScroll: true });
    },
    /** The tasks that a key is meant for: the selected ones, the one in the panel, or the current row. */
    targets() {
      const { list, selected, current, openId } = now.current;
      if (selected.size > 0) return [...selected].map((id) => store.state.tasks.get(id)).filter(Boolean);
      if (openId && document.activeElement?.closest?.(".t-panel")) return [store.state.tasks.get(openId)].filter(Boolean);
      return list.byId.has(current) ? [store.state.tasks.get(current)].filter(Boolean) : [];
    },
    anchorOf(task) {
      return place.current?.querySelector(`[data-id="${task.id}"] .t-due, [data-id="${task.id}"] .t-title`)
        || document.querySelector(".t-panel .t-due-field") || { x: innerWidth / 2, y: innerHeight / 3 };
    },
    selected: () => now.current.selected.size,
    /** Tasks that the list has no more are not selected any longer. */
    forget(ids) {
      const left = new Set(now.current.selected);
      ids.forEach((id) => left.delete(id));
      setSelected(left);
    },
    clear: () => ops.select(new Set()),
    selectAll: () => ops.select(new Set(now.current.list.items.map(({ entry }) => entry.id))),
  };
  return ops;
}

/** The focus goes with a row that moves. Where the current row has gone, the next one takes its place, and the focus if it was there. */
function useFollow({ now, rows, current, setCurrent, ops }) {
  const last = useRef({ at: 0 });
  useLayoutEffect(() => {
    const { list, selected, focused } = now.current;
    const { activeElement } = document;
    const lost = !activeElement || activeElement === document.body;
    const gone = [...selected].filter((id) => !store.state.tasks.has(id) || !list.byId.has(id));
    if (gone.length) ops.forget(gone);
    if (!current) return;
    if (list.byId.has(current)) {
      last.current = { at: list.indexOf(current) };
      if (lost && focused === current) ops.go(current);
      return;
    }
    const real = store.realId(current);
    const next = list.byId.has(real) ? real : list.items[Math.min(last.current.at, list.items.length - 1)]?.entry.id;
    setCurrent(next || 0);
    if (next && lost) ops.go(next);
  }, [rows, current]);
}

function useListKeys(ops, now) {
  useEffect(() => {
    const some = () => ops.targets().length > 0;
    const one = (run) => () => run(ops.targets()[0]);
    const open = (kind) => () => {
      const tasks = ops.targets();
      ops.openMenu(kind, kind === "reminder" ? [tasks[0]] : tasks, ops.anchorOf(tasks[0]));
    };
    const done = () => ops.selected() > 0 && setTimeout(ops.clear);
    const bound = [
      { key: ["j", "ArrowDown"], help: "Next task", run: () => ops.step(1) },
      { key: ["k", "ArrowUp"], help: "Previous task", run: () => ops.step(-1) },
      { key: "Enter", help: "Open the task", when: (event) => some() && !event.target.closest?.("a, button"),
        run: one((task) => router.go(`/task/${task.id}`)) },
      { key: "e", help: "Complete, or open again", when: some, run: () => { toggleCompleted(ops.targets()); done(); } },
      { key: "d", help: "Due date", when: some, run: open("due") },
      { key: "p", help: "Priority", when: some, run: open("priority") },
      { key: "l", help: "Tags", when: some, run: () => chooseTags(ops.targets()) },
      { key: "r", help: "Remind", when: some, run: open("reminder") },
      { key: "F2", help: "Edit the title", when: some, run: one(ops.edit) },
      { key: "Delete", help: "Delete", when: some, run: () => { deleteTasks(ops.targets()); done(); } },
      { key: "x", help: "Select, or take out of the selection", when: some, run: () => {
        const task = store.state.tasks.get(now.current.current);
        if (task) ops.toggle(task);
      } },
      { key: "ctrl+a", when: (event) => now.current.selected.size > 0 && !event.target.closest?.("input, textarea, dialog"), run: ops.selectAll },
      { key: "Escape", when: () => now.current.selected.size > 0, run: ops.clear },
    ].map((each) => keys.bind({ group: "Tasks", ...each }));
    return () => bound.forEach((off) => off());
  }, []);
}
