// Notifications: the list below the bell, and the view with the whole list.
import { html, useEffect, useLayoutEffect, useRef, useState } from "/lib/preact.js";
import { usePreferences } from "../core/preferences.js";
import { useStore } from "../core/store.js";
import { announce } from "../core/announce.js";
import { Icon } from "../ui/icon.js";
import { Menu } from "../ui/menu.js";
import { toast } from "../ui/toast.js";
import { fail, openTask } from "./bell.js";
import { EmptyState, ErrorState, Loading, StaleStrip, relativeTime } from "./parts.js";
import { formatsOf } from "./formats.js";
import { markRead, more, refresh, snooze, useNotifications } from "./notification_store.js";
import { dayOf, instantOf, plusDays } from "./usage_data.js";

/** Draws its children again every half minute, so that “5 minutes ago” stays true. */
function useClock() {
  const [now, setNow] = useState(Date.now());
  useEffect(() => {
    const timer = setInterval(() => setNow(Date.now()), 30000);
    return () => clearInterval(timer);
  }, []);
  return now;
}

/** A box in the top layer of the page, below `anchor` and inside of the window. */
function Popover({ anchor, children }) {
  const box = useRef(null);
  useLayoutEffect(() => {
    box.current.showPopover?.();
    const { left, bottom } = anchor.getBoundingClientRect();
    box.current.style.top = `${bottom + 6}px`;
    box.current.style.left = `${Math.max(8, Math.min(left, innerWidth - box.current.offsetWidth - 8))}px`;
    box.current.focus({ preventScroll: true });
  }, []);
  return html`<div class="v-popover" popover="manual" ref=${box} role="dialog" aria-label="Notifications" tabindex="-1">
    ${children}</div>`;
}

/** The newest ones, below the bell. */
export function BellList({ anchor, onLeave }) {
  return html`<${Popover} anchor=${anchor}><${List} compact onLeave=${onLeave} /><//>`;
}

/** The view at /notifications. */
export function NotificationsView() {
  return html`<div class="v-view v-narrow"><${List} /></div>`;
}

function List({ compact, onLeave }) {
  const { items, unread, ready, busy, error, next } = useNotifications();
  const now = useClock();
  const [onlyUnread, setOnlyUnread] = useState(false);
  const shown = (onlyUnread ? items.filter((each) => !each.readAt) : items).slice(0, compact ? 8 : undefined);
  const Title = compact ? "h2" : "h1";
  return html`<header class="v-head">
      <${Title}>Notifications${unread > 0 && html` <span class="v-count">${unread} unread</span>`}<//>
      <div class="v-head-tools">
        ${!compact && html`<button type="button" class="button small" aria-pressed=${onlyUnread ? "true" : "false"}
          onClick=${() => setOnlyUnread(!onlyUnread)}>Unread only</button>`}
        <button type="button" class="button small" disabled=${unread === 0} onClick=${() => markRead()
          .then(() => announce("All notifications are read"), fail)}>Mark all read</button>
      </div>
    </header>
    ${ready && html`<${StaleStrip} error=${error} retry=${refresh} />`}
    ${!ready ? (error ? html`<${ErrorState} error=${error} retry=${refresh} />`
      : html`<${Loading} label="Loading notifications" />`)
      : shown.length === 0 ? html`<${Nothing} onlyUnread=${onlyUnread && items.length > 0} />`
      : html`<ul class="v-notifications" aria-label="Notifications">
        ${shown.map((each) => html`<${Item} key=${each.id} notification=${each} now=${now}
          onLeave=${onLeave} />`)}</ul>`}
    ${compact ? html`<p class="v-more">
      <a href="/notifications" onClick=${onLeave}>All notifications</a> · <a href="/preferences#notifications"
        onClick=${onLeave}>Channels</a></p>`
      : next && html`<p class="v-more">
        <button type="button" class="button" disabled=${busy} onClick=${more}>Show older ones</button></p>`}`;
}

function Nothing({ onlyUnread }) {
  if (onlyUnread) return html`<${EmptyState} title="All read"><p>New reminders appear here by themselves.</p><//>`;
  return html`<${EmptyState} title="No notifications yet">
    <p>A reminder that is due appears here, on every device. Add one by writing “remind me 30 minutes before” behind a task.</p>
    <p><a href="/preferences#notifications">Get reminders by push, e-mail or webhook too</a></p><//>`;
}

function Item({ notification, now, onLeave }) {
  const formats = formatsOf(usePreferences());
  const task = useStore((state) => state.tasks.get(Number(notification.taskId)));
  const unread = !notification.readAt;
  const gone = !task ? "deleted" : task.completed ? "done" : "";
  const due = dueText(notification, formats);
  return html`<li class=${`v-notification${unread ? " unread" : ""}`}>
    <span class="v-dot" aria-hidden="true"></span>
    <div class="v-notification-text">
      ${gone === "deleted" ? html`<bdi class="v-gone">${notification.title}</bdi>`
        : html`<a href=${`/task/${notification.taskId}`} class=${gone ? "v-gone" : ""}
        onClick=${(event) => { event.preventDefault(); openTask(notification, onLeave); }}>
          <bdi>${notification.title}</bdi></a>`}
      <p class="v-hint">${unread && html`<span class="visually-hidden">Unread. </span>`}
        <time dateTime=${notification.remindAt} title=${formats.dateTime(Date.parse(notification.remindAt))}>
          ${relativeTime(notification.remindAt, now)}</time>
        ${due && html` · due ${due}`}${notification.late && " · late: the service was down"}
          ${gone === "done" && " · done"}${gone === "deleted" && " · deleted"}</p>
    </div>
    <div class="v-notification-tools">
      ${!gone && html`<${SnoozeMenu} notification=${notification} formats=${formats} />`}
${unread && html`<button type="button" class="button quiet small" aria-label=${`Mark “${notification.title}” as read`}
        onClick=${() => markRead([notification.id]).catch(fail)}>Read</button>`}
    </div>
  </li>`;
}

function dueText(notification, formats) {
  const local = notification.dueLocal || "";
  if (local.length === 10) return formats.longDay(local);
  return notification.dueDate ? formats.dateTime(Date.parse(notification.dueDate)) : "";
}

/** What a snooze can be: a time from now, or a time of a day in the user's zone. */
export function snoozeChoices(formats, now = Date.now()) {
  const today = dayOf(now, formats.zone);
  const morning = formats.morning;
  const evening = formats.evening;
  const at = (label, day, time) => ({ label, hint: formats.dateTime(instantOf(day, formats.zone, time)),
    until: new Date(instantOf(day, formats.zone, time)).toISOString() });
  const monday = plusDays(today, ((8 - new Date(`${today}T00:00:00Z`).getUTCDay()) % 7) || 7);
  const choices = [{ label: "10 minutes", duration: "PT10M" }, { label: "1 hour", duration: "PT1H" },
    { label: "3 hours", duration: "PT3H" }];
  if (instantOf(today, formats.zone, evening) > now + 1800000) choices.push(at("This evening", today, evening));
  return [...choices, at("Tomorrow", plusDays(today, 1), morning), at("Next week", monday, morning)];
}

function SnoozeMenu({ notification, formats }) {
  const run = async (choice) => {
    try {
      const reminder = await snooze(notification, choice);
      if (!reminder) return;
      markRead([notification.id]).catch(() => {});
      toast({ text: `“${notification.title}” comes again ${formats.dateTime(Date.parse(reminder.remindAt))}` });
    } catch (error) {
      fail(error);
    }
  };
  return html`<${Menu} label=${`Snooze “${notification.title}”`} icon="snooze" items=${snoozeChoices(formats)
    .map((choice) => ({ label: choice.label, hint: choice.hint, run: () => run(choice) }))} />`;
}
