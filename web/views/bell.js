// The bell with the number of unread notifications. Its list is loaded when it is first opened.
import { html, useEffect, useRef, useState } from "/lib/preact.js";
import { router } from "../core/router.js";
import { announce } from "../core/announce.js";
import { Icon } from "../ui/icon.js";
import { lazily, viewStyles } from "../ui/later.js";
import { toast } from "../ui/toast.js";
import { markRead, snooze, useNotifications } from "./notification_store.js";

const BellList = lazily(() => Promise.all([import("./notifications.js"), viewStyles()]).then(([module]) => module.BellList));

/** Says why a call has failed. */
export async function fail(error) {
  const { explain } = await import("./parts.js");
  const { title, advice } = explain(error);
  toast({ text: `${title}. ${advice}` });
}

/** The bell with the number of unread notifications. A click shows the newest ones. */
export function NotificationBell() {
  const { unread, items, ready } = useNotifications();
  const [open, setOpen] = useState(false);
  const box = useRef(null);
  const button = useRef(null);
  const known = useRef(null);
  useEffect(() => {
    const newest = items[0];
    if (ready && known.current !== null && newest && newest.id !== known.current && !newest.readAt) {
      if (open) announce(`Reminder: ${newest.title}`);
      else showReminder(newest);
    }
    if (ready) known.current = newest?.id || "";
  }, [items, ready]);
  useEffect(() => {
    if (!open) return undefined;
    const outside = (event) => { if (!box.current?.contains(event.target)) setOpen(false); };
    const onKey = (event) => {
      if (event.key !== "Escape" || event.defaultPrevented) return;
      event.preventDefault();
      setOpen(false);
      button.current?.focus();
    };
    document.addEventListener("pointerdown", outside);
    document.addEventListener("keydown", onKey);
    return () => {
      document.removeEventListener("pointerdown", outside);
      document.removeEventListener("keydown", onKey);
    };
  }, [open]);
  const label = unread > 0 ? `Notifications, ${unread} unread` : "Notifications";
  return html`<div class="v-bell" ref=${box}>
    <button type="button" class="button quiet icon-only" ref=${button} aria-label=${label} title="Notifications"
      aria-expanded=${open ? "true" : "false"} aria-haspopup="dialog" onClick=${() => setOpen(!open)}>
      <${Icon} name="bell" />
      ${unread > 0 && html`<span class="v-badge" aria-hidden="true">${unread > 99 ? "99+" : unread}</span>`}</button>
    ${open && html`<${BellList} anchor=${button.current} onLeave=${() => setOpen(false)} />`}
  </div>`;
}

function showReminder(notification) {
  const later = () => snooze(notification, { duration: "PT10M" }).then((made) => made && markRead([notification.id])).catch(fail);
  toast({ text: `Reminder: ${notification.title}`, timeout: 15000,
    actions: [{ label: "Open", run: () => openTask(notification) }, { label: "In 10 minutes", run: later }] });
}

export function openTask(notification, onLeave) {
  markRead([notification.id]).catch(fail);
  onLeave?.();
  router.go(`/task/${notification.taskId}`);
}
