// A service for the page's queue: it makes tasks, keeps what todo.v1 promises on request ids and etags, and fails as told.
// Also the writes that a browser stores, which tabs share.

const answer = (status, body) => new Response(typeof body === "string" ? body : JSON.stringify(body), { status });
const refusal = (status, code, reason = "", metadata = {}) => [status, { code, message: `It is ${code}.`,
  details: reason ? [{ type: "google.rpc.ErrorInfo", debug: { reason, metadata } }] : [] }];
const camel = (task) => ({ ...task, id: String(task.id), version: String(task.version), etag: `v${task.version}` });

export class Service {
  tasks = new Map();
  deleted = new Map();
  changes = []; // {eventType, task, requestId}
  calls = []; // of methods that change something: {method, request}
  /** A function of {method, request} that may return a Response, or throw, in the place of the service. */
  between = () => undefined;
  /** The same after the call was made: an answer that is lost. */
  afterwards = () => undefined;
  #answers = new Map();
  #last = 0;

  fetch = async (path, { body }) => {
    await new Promise((resolve) => { setImmediate(resolve); });
    if (path === "/settings.json") return answer(200, { identity: "development" });
    const call = { method: path.split("/").at(-1), request: JSON.parse(body) };
    const instead = this.between(call);
    if (instead) return instead;
    const [status, result] = this.#reading(call) || this.#changing(call, body);
    return this.afterwards(call) || answer(status, result);
  };

  /** A change by somebody else. */
  change(id, fields, requestId = "theirs") {
    const task = this.tasks.get(id);
    Object.assign(task, fields);
    return this.#note("updated", task, requestId);
  }

  remove(id, requestId = "theirs") {
    const task = this.tasks.get(id);
    this.tasks.delete(id);
    this.deleted.set(id, task);
    return this.#note("deleted", task, requestId);
  }

  titles = () => [...this.tasks.values()].map(({ title }) => title);

  #note(eventType, task, requestId) {
    task.version += 1;
    this.changes.push({ eventType, task: camel(task), requestId });
    return task;
  }

  #reading({ method, request }) {
    if (method === "GetTask") {
      const task = this.tasks.get(Number(request.id));
      return task ? [200, camel(task)] : refusal(404, "not_found");
    }
    if (method !== "ListChanges") return null;
    return [200, { changes: this.changes.filter(({ task }) => task.id === String(request.taskId)) }];
  }

  #changing(call, body) {
    const { method, request } = call;
    this.calls.push(call);
    if (this.#answers.has(request.requestId)) {
      const [before, result] = this.#answers.get(request.requestId);
      return before === body ? [200, result] : refusal(409, "already_exists");
    }
    const made = method === "BatchUpdateTasks" ? this.#batch(request) : this.#one(method, request);
    if (made[0] === 200) this.#answers.set(request.requestId, [body, made[1]]);
    return made;
  }

  #one(method, request) {
    const { requestId } = request;
    if (method === "CreateTask") {
      if (!request.task.title) return refusal(400, "invalid_argument");
      const task = { ...request.task, id: ++this.#last, version: 0, seriesId: request.task.recurrenceRule ? `s${this.#last}` : "" };
      this.tasks.set(task.id, task);
      return [200, camel(this.#note("created", task, requestId))];
    }
    if (method === "CreateReminder") return [200, { taskId: String(request.taskId), number: 1 }];
    const id = Number(request.task?.id ?? request.id);
    const refused = this.#refused(id, method, request.task?.etag ?? request.etag);
    if (refused) return refused;
    if (method === "DeleteTask") return [200, camel(this.remove(id, requestId))];
    if (method === "RestoreTask") {
      this.tasks.set(id, this.deleted.get(id) || this.tasks.get(id));
      return [200, camel(this.#note("created", this.tasks.get(id), requestId))];
    }
    const fields = method === "UpdateTask" ? Object.fromEntries(request.updateMask.split(",").map((name) => [name, request.task[name]]))
      : { completed: method === "CompleteTask" };
    const reached = [...this.tasks.values()].filter((each) => request.scope === "SERIES_SCOPE_ALL"
      && each.seriesId && each.seriesId === this.tasks.get(id).seriesId && each.id !== id);
    reached.forEach((each) => this.change(each.id, fields, requestId));
    return [200, camel(this.change(id, fields, requestId))];
  }

  #refused(id, method, etag) {
    const task = this.tasks.get(id) || (method === "RestoreTask" && this.deleted.get(id));
    if (!task) return refusal(404, "not_found");
    return etag && etag !== `v${task.version}` ? refusal(409, "aborted", "STALE_ETAG") : null;
  }

  #batch({ changes, requestId }) {
    for (const [index, { id, etag, deleted }] of changes.entries()) {
      const refused = this.#refused(Number(id), deleted === false ? "RestoreTask" : "", etag);
      if (refused) return refusal(refused[0], refused[1].code, refused[1].details[0]?.debug.reason || "NOT_FOUND", { index: String(index) });
    }
    return [200, { tasks: changes.map(({ id, completed, deleted, update }) => {
      if (deleted) return camel(this.remove(Number(id), requestId));
      if (deleted === false) return this.#one("RestoreTask", { id, requestId })[1];
      return camel(this.change(Number(id), update ? update.task : { completed }, requestId));
    }) }];
  }
}

/** The queue in IndexedDB: each call is a transaction, and what is stored is a copy. */
export class StoredWrites {
  full = false;
  #writes = new Map();
  #names = new Map();
  #last = 0;

  async readWrites() {
    return structuredClone([...this.#writes.values()].sort((one, other) => one.order - other.order));
  }

  async addWrite(write) {
    if (this.full) throw new DOMException("full", "QuotaExceededError");
    this.#last += 1;
    this.#writes.set(this.#last, structuredClone({ ...write, order: this.#last }));
    return this.#last;
  }

  async editWrites(edit) {
    const { put, remove, names } = structuredClone(edit(await this.readWrites()));
    put.forEach((write) => this.#writes.set(write.order, write));
    remove.forEach((order) => this.#writes.delete(order));
    names.forEach(([temporary, id]) => this.#names.set(temporary, id));
  }

  async readNames() {
    return [...this.#names];
  }
}
