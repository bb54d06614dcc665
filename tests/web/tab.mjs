// A tab of the page without its screen: the modules of the queue, of its own, on the writes that the browser stores.
import assert from "node:assert/strict";

const patienceMs = 60000;
let tabs = 0;

/** Waits until `condition()` gives something. */
export async function until(condition, what) {
  for (const end = Date.now() + patienceMs; Date.now() < end;) {
    const found = await condition();
    if (found) return found;
    await new Promise((resolve) => { setImmediate(resolve); });
  }
  return assert.fail(`not in time: ${what}`);
}

export async function openTab(stored, user = "ada") {
  tabs += 1;
  const load = (name) => import(`../../web/core/${name}.js?tab=${tabs}`);
  const [{ session }, queues, { store }] = await Promise.all(["session", "queue", "store"].map(load));
  await session.start();
  await session.signIn(user);
  queues.openQueue(session.key);
  await queues.startQueue(stored, session.key);
  return new Tab(session, queues, store, `?tab=${tabs}`);
}

class Tab {
  constructor(session, queues, store, query) {
    Object.assign(this, { session, queues, store, query, queue: queues.queue });
  }

  get pending() { return this.store.state.pending; }
  get conflicts() { return this.store.state.conflicts; }
  get stuck() { return this.store.state.stuck; }
  task(id) { return this.store.state.tasks.get(this.store.realId(id)); }
  titles() { return [...this.store.state.tasks.values()].map(({ title }) => title).sort(); }

  /** Adds a task and returns its id for now. */
  async add(title, more = {}) {
    const id = -(Date.now() * 1000) - Tab.made++;
    const stored = new Promise((resolve) => { this.stored = resolve; });
    this.queue.write({ method: "CreateTask", request: { task: { title, ...more } }, label: `Add ${title}`, onStored: this.stored,
      optimistic: { create: { id, title, tags: [], completed: false, version: 0, series_id: null } } });
    await stored;
    return id;
  }

  rename(id, title, { etag = true, scope } = {}) {
    return this.queue.write({ method: "UpdateTask", etag, label: `Rename to ${title}`, optimistic: { update: id, fields: { title } },
      request: { task: { id, title }, updateMask: "title", ...(scope ? { scope } : {}) } });
  }

  complete(id) {
    return this.queue.write({ method: "CompleteTask", request: { id }, label: "Complete", optimistic: { update: id, fields: { completed: true } } });
  }

  /** Everything that can be sent was sent. */
  quiet() {
    return until(() => this.pending.every((each) => each.conflict || each.stuck), "the queue is sent");
  }

  close() { this.queues.stopQueue(); }
}

Tab.made = 0;
