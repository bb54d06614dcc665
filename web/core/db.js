// The copy of one user's tasks and queue in IndexedDB. Each user has a database of their own, which the sign-out deletes.
//
// Several tabs write the same copy. `cursor` names the change that the copy shows; a tab saves what changed since its last
// save, in one transaction with its cursor, and leaves the copy alone when another tab has already saved a later one.

const chunkSize = 400;
const nameOf = (key) => `todo.${key}`;
const rangeOf = (kind) => IDBKeyRange.bound([kind], [kind, []]);

const done = (request) => new Promise((resolve, reject) => {
  request.onsuccess = () => resolve(request.result);
  request.onerror = () => reject(request.error);
});

const finished = (transaction) => new Promise((resolve, reject) => {
  transaction.oncomplete = () => resolve();
  transaction.onabort = () => reject(transaction.error || new Error("aborted"));
});

/** Deletes what this browser keeps of the user. Tabs that have it open close it first. */
export function deleteCopy(key) {
  if (!key) return Promise.resolve();
  return new Promise((resolve, reject) => {
    const request = indexedDB.deleteDatabase(nameOf(key));
    request.onsuccess = () => resolve();
    request.onerror = () => reject(request.error);
  });
}

export class Copy {
  static async open(key) {
    const request = indexedDB.open(nameOf(key), 1);
    request.onupgradeneeded = () => {
      const database = request.result;
      database.createObjectStore("tasks", { keyPath: "id" });
      database.createObjectStore("meta");
      database.createObjectStore("writes", { keyPath: "order", autoIncrement: true });
    };
    return new Copy(await done(request));
  }

  constructor(database) {
    this.database = database;
    database.onversionchange = () => this.close();
  }

  close() {
    this.closed = true;
    this.database.close();
  }

  /** Calls `take(tasks)` part by part, so that the page stays quick, and returns the cursor {seq, event_id, epoch}. */
  async readTasks(take) {
    const transaction = this.database.transaction(["tasks", "meta"]);
    const cursor = await done(transaction.objectStore("meta").get("cursor"));
    let range = null;
    for (;;) {
      const tasks = await done(transaction.objectStore("tasks").getAll(range, chunkSize));
      if (tasks.length === 0) return cursor;
      take(tasks);
      range = IDBKeyRange.lowerBound(tasks[tasks.length - 1].id, true);
    }
  }

  /** Saves changed tasks (null: deleted) with the cursor. False: another tab saved a later state, or another history. */
  async save(changes, cursor) {
    const transaction = this.database.transaction(["tasks", "meta"], "readwrite");
    const end = finished(transaction);
    end.catch(() => {});
    const present = await done(transaction.objectStore("meta").get("cursor"));
    const later = present && (present.epoch !== cursor.epoch || present.seq > cursor.seq);
    if (!later) {
      const store = transaction.objectStore("tasks");
      for (const [id, task] of changes) task ? store.put(task) : store.delete(id);
      transaction.objectStore("meta").put(cursor, "cursor");
    }
    await end;
    return !later;
  }

  /** Replaces all tasks, in one transaction but in parts. */
  async replace(tasks, cursor) {
    const transaction = this.database.transaction(["tasks", "meta"], "readwrite", { durability: "relaxed" });
    const end = finished(transaction);
    end.catch(() => {});
    const store = transaction.objectStore("tasks");
    store.clear();
    for (let from = 0; from < tasks.length; from += chunkSize) {
      const part = tasks.slice(from, from + chunkSize).map((task) => store.put(task));
      await done(part[part.length - 1]);
    }
    transaction.objectStore("meta").put(cursor, "cursor");
    await end;
  }

  readWrites() {
    return done(this.database.transaction("writes").objectStore("writes").getAll());
  }

  /** Stores a write for good and returns its order. */
  async addWrite(write) {
    const transaction = this.database.transaction("writes", "readwrite", { durability: "strict" });
    const order = done(transaction.objectStore("writes").add(write));
    order.catch(() => {}); // the end of the transaction tells it, too
    await finished(transaction);
    return order;
  }

  /** Changes the queue in one transaction, as Writes.edit does. */
  async editWrites(edit) {
    const transaction = this.database.transaction(["writes", "meta"], "readwrite", { durability: "strict" });
    const end = finished(transaction);
    end.catch(() => {});
    const store = transaction.objectStore("writes");
    const { put, remove, names, notes = [] } = edit(await done(store.getAll()));
    for (const write of put) store.put(write);
    for (const order of remove) store.delete(order);
    for (const [id, value] of notes) transaction.objectStore("meta").put({ name: id, value, at: Date.now() }, ["words", id]);
    for (const [temporary, id] of names) transaction.objectStore("meta").put([temporary, id], ["name", temporary]);
    await end;
  }

  /** The ids that the server gave to tasks that were made here, [[temporary id, id]…]; without writes nothing needs them. */
  async readNames() {
    const transaction = this.database.transaction(["writes", "meta"], "readwrite");
    const meta = transaction.objectStore("meta");
    const names = await done(meta.getAll(rangeOf("name")));
    if ((await done(transaction.objectStore("writes").count())) === 0) meta.delete(rangeOf("name"));
    return names;
  }

  /** What keep() has stored of a kind: [{name, value, at}…]; with `name` at most that one. */
  kept(kind, name) {
    return done(this.database.transaction("meta").objectStore("meta").getAll(name === undefined ? rangeOf(kind) : [kind, name]));
  }

  /** Stores a value of a kind under a name; null removes it. Of more than `most` the oldest go. */
  async keep(kind, name, value, most) {
    const transaction = this.database.transaction("meta", "readwrite", { durability: "relaxed" });
    const end = finished(transaction);
    end.catch(() => {});
    const meta = transaction.objectStore("meta");
    if (value === null) meta.delete([kind, name]);
    else meta.put({ name, value, at: Date.now() }, [kind, name]);
    const tooMany = (await done(meta.count(rangeOf(kind)))) - most;
    if (tooMany > 0) {
      const all = await done(meta.getAll(rangeOf(kind)));
      all.sort((one, other) => one.at - other.at).slice(0, tooMany).forEach((each) => meta.delete([kind, each.name]));
    }
    await end;
  }
}
