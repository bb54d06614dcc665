// The live feed over /ws, as docs/live.md describes it: it keeps the cursor, applies updates in order, and comes back by
// itself. After an end it waits as the end says, and longer each time without an answer.
import { taskFromFeed } from "./api.js";
import { session } from "./session.js";
import { queue, seenInFeed } from "./queue.js";
import { replaceTasks, setState, store, takeTasks } from "./store.js";
import { forgetSaved, saveAll, saveSoon } from "./saving.js";

const silenceMs = 45000;
const longestPauseMs = 30000;
const listeners = new Set();
const foreignListeners = new Set();
let running = null;

/** Calls `listen({notification_id, task_id, timestamp})` for each new notification. */
export function onNotification(listen) {
  listeners.add(listen);
  return () => listeners.delete(listen);
}

/** Calls `listen({change, task})` for each change that a call of somebody else has made, not a tab of this browser. */
export function onForeignChange(listen) {
  foreignListeners.add(listen);
  return () => foreignListeners.delete(listen);
}

/** Starts the feed behind `cursor`: {seq, event_id}, or null when nothing is known. */
export function startFeed(cursor) {
  stopFeed();
  running = new Feed(cursor);
  running.connect();
}

export function stopFeed() {
  running?.stop();
  running = null;
}

class Feed {
  constructor(cursor) {
    this.cursor = cursor;
    this.parts = new Map();
    this.pause = 1000;
    this.wish = 0; // pause that the server asked for
    this.greeted = null; // the socket that has had its hello, which must come first
    this.offs = [session.onToken((token) => this.greeted === this.socket && this.#say({ type: "token", token }))];
    // A socket does not notice that its network is gone, so the browser's word counts.
    const lost = () => {
      this.#drop();
      setState({ connection: "offline", online: false });
    };
    const back = () => {
      this.pause = 1000;
      this.#drop();
      this.#comeBack(0);
    };
    const look = () => document.visibilityState === "visible" && !this.socket && navigator.onLine && this.#comeBack(0);
    for (const [target, name, run] of [[globalThis, "offline", lost], [globalThis, "online", back],
      [document, "visibilitychange", look]]) {
      target.addEventListener(name, run);
      this.offs.push(() => target.removeEventListener(name, run));
    }
  }

  stop() {
    this.stopped = true;
    this.offs.forEach((off) => off());
    this.#drop();
  }

  #drop() {
    const { socket } = this;
    clearTimeout(this.timer);
    clearTimeout(this.silence);
    this.socket = null;
    socket?.close();
  }

  async connect() {
    clearTimeout(this.timer);
    if (this.stopped || this.socket) return;
    if (!navigator.onLine) {
      setState({ connection: "offline", online: false });
      return;
    }
    const socket = new WebSocket(`${location.protocol === "https:" ? "wss" : "ws"}://${location.host}/ws`, "todo.v1");
    this.socket = socket;
    this.parts = new Map(); // half a snapshot of an earlier connection may hold tasks that are gone
    this.#alive();
    socket.onopen = async () => {
      const hello = await session.hello();
      const { seq, event_id } = this.cursor || {};
      if (this.socket !== socket) return;
      this.greeted = socket;
      this.#say({ type: "hello", ...hello, ...(event_id ? { seq, event_id } : {}) });
    };
    socket.onmessage = ({ data }) => {
      if (this.socket !== socket) return;
      this.#alive();
      if (!store.state.online) this.#reachable();
      const message = JSON.parse(data);
      this[`on_${message.type}`]?.(message);
    };
    socket.onclose = ({ code }) => this.socket === socket && this.#ended(code);
  }

  #say(message) {
    if (this.socket?.readyState === WebSocket.OPEN) this.socket.send(JSON.stringify(message));
  }

  #alive() {
    clearTimeout(this.silence);
    this.silence = setTimeout(() => this.#again(), silenceMs);
  }

  /** Something is missing: a new connection with the present cursor brings it. */
  #again() {
    this.#drop();
    setState({ connection: "connecting" });
    this.#comeBack(this.pause);
    this.pause = Math.min(2 * this.pause, longestPauseMs);
  }

  async #ended(code) {
    clearTimeout(this.silence);
    this.socket = null;
    if (this.stopped) return;
    setState({ connection: navigator.onLine && code !== 1006 ? "connecting" : "offline" });
    if (code === 4401 || code === 4500) {
      if (await session.renewed()) return this.#comeBack(this.pause);
      return this.#comeBack(longestPauseMs);
    }
    if (code === 4503 || code === 4501) {
      setState({ feedError: code === 4503 ? "This address is not allowed to show live changes. Tell the operator: --web-allowed-origins."
        : "The server does not understand this page. Load the page again." });
      return undefined;
    }
    const jitter = 0.75 + Math.random() / 2;
    this.#comeBack(this.wish || (code === 4408 ? 0 : this.pause * jitter));
    this.wish = 0;
    this.pause = Math.min(2 * this.pause, longestPauseMs);
    return undefined;
  }

  #comeBack(delay) {
    clearTimeout(this.timer);
    if (!this.stopped) this.timer = setTimeout(() => this.connect(), delay);
  }

  #reachable() {
    setState({ online: true });
    queue.kick();
  }

  #live() {
    this.pause = 1000;
    const was = store.state.connection;
    setState({ connection: "live", online: true, ready: true, feedError: "" });
    if (was !== "live") queue.kick();
  }

  on_resumed() {
    this.#live();
  }

  on_resync() {
    this.cursor = null;
    this.parts = new Map();
    forgetSaved();
  }

  on_snapshot({ seq, event_id, tasks, last }) {
    for (const task of tasks) this.parts.set(task.id, taskFromFeed(task));
    if (!last) return;
    this.cursor = { seq, event_id };
    replaceTasks(this.parts, { seq, lastChange: { type: "snapshot" } });
    this.parts = new Map();
    saveAll(this.cursor);
    this.#live();
  }

  on_update({ seq, event_id, change, task_id, task, request_id, timestamp }) {
    if (seq !== (this.cursor?.seq || 0) + 1) return this.#again();
    this.cursor = { seq, event_id };
    const own = seenInFeed(request_id, task_id, change);
    const taken = task && taskFromFeed(task);
    // What has no request follows from another change.
    if (request_id && !own) foreignListeners.forEach((listen) => listen({ change, task: taken || store.base(task_id) }));
    takeTasks([[task_id, taken]], { change: { seq, lastChange: { type: "update", change, id: task_id, task: taken, seq,
      request_id, own, timestamp } } });
    return saveSoon([[task_id, taken]], this.cursor);
  }

  on_notification(message) {
    listeners.forEach((listen) => listen(message));
  }

  on_ping({ seq, event_id }) {
    if (seq === undefined || this.parts.size > 0) return;
    if (!this.cursor || seq !== this.cursor.seq || (event_id ?? null) !== (this.cursor.event_id ?? null)) this.#again();
  }

  on_error({ retry_after_ms: wish }) {
    if (wish) this.wish = wish;
  }
}
