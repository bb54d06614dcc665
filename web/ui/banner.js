// What the user has to know about the connection. A short interruption is not worth a word.
import { html, useEffect, useState } from "/lib/preact.js";
import { session } from "../core/session.js";
import { useStore } from "../core/store.js";
import { Icon } from "./icon.js";

const patienceMs = 2500;

const changes = (count) => (count === 1 ? "1 change waits" : `${count} changes wait`);

export function Banner() {
  const online = useStore((state) => state.online);
  const connection = useStore((state) => state.connection);
  const error = useStore((state) => state.feedError || "");
  const waiting = useStore((state) => state.pending.filter((each) => !each.conflict && !each.stuck).length);
  const [expired, setExpired] = useState(session.state.expired);
  useEffect(() => {
    setExpired(session.state.expired);
    return session.subscribe(({ expired: now }) => setExpired(now));
  }, []);
  const away = useLasting(connection !== "live", patienceMs);
  const tail = waiting > 0 ? ` ${changes(waiting)}.` : "";
  let text = "";
  let icon = "offline";
  let action = null;
  if (expired && navigator.onLine) {
    text = `Your sign-in has ended.${tail}`;
    icon = "user";
    action = html`<button type="button" class="button small" onClick=${() => session.signIn()}>Sign in again</button>`;
  } else if (error) {
    text = error;
    icon = "alert";
  } else if (!online) {
    text = `You are offline.${tail || " Your tasks are here, and changes are kept until the network is back."}`;
  } else if (away) {
    text = `Connecting again …${tail}`;
  }
  return html`<div role="status" aria-live="polite">${text && html`<div class=${`banner ${error ? "error" : ""}`}>
    <${Icon} name=${icon} /><span class="banner-text">${text}</span>${action}</div>`}</div>`;
}

/** True when `value` has been true for a while. */
function useLasting(value, delay) {
  const [lasting, set] = useState(false);
  useEffect(() => {
    if (!value) return set(false);
    const timer = setTimeout(() => set(true), delay);
    return () => clearTimeout(timer);
  }, [value]);
  return value && lasting;
}
