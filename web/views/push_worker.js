// The service worker's part of Web Push: it shows what was pushed, and a click opens the task.

/** Shows the message of a push. A browser wants a notification for every push, so an unreadable one is shown too. */
export function onPush(event) {
  let message = {};
  try {
    message = event.data?.json() || {};
  } catch {
    message = {};
  }
  const path = Number.isSafeInteger(message.task_id) && message.task_id > 0 ? `/task/${message.task_id}`
    : "/notifications";
  event.waitUntil(self.registration.showNotification(message.title || "A task is due", {
    body: message.body || "", tag: message.notification_id || undefined, icon: "/icons/icon-192.png", data: { path },
    actions: message.task_id ? [{ action: "open", title: "Open the task" }] : [],
  }));
}

/** Brings a window of the page to the front at the task, or opens one. */
export function onNotificationClick(event) {
  event.notification.close();
  const url = new URL(event.notification.data?.path || "/notifications", self.location.origin).href;
  event.waitUntil((async () => {
    const windows = await self.clients.matchAll({ type: "window", includeUncontrolled: true });
    const open = windows.find((each) => each.visibilityState === "visible") || windows[0];
    if (!open) return self.clients.openWindow(url);
    open.postMessage({ type: "open", path: new URL(url).pathname });
    return open.focus().catch(() => undefined); // without the focus the task is open all the same
  })());
}
