// Each write is made exactly once, in order, and none is dropped without a word of the service or of the user.
import assert from "node:assert/strict";
import { afterEach, beforeEach, describe, it } from "node:test";
import { Service, StoredWrites } from "./service.mjs";
import { openTab, until } from "./tab.mjs";

let service;
let stored;
let tabs;

async function open(user) {
  const tab = await openTab(stored, user);
  tabs.push(tab);
  return tab;
}

const lost = () => { throw new TypeError("the network failed"); };
const made = (method) => service.calls.filter((call) => call.method === method);

beforeEach(() => {
  service = new Service();
  stored = new StoredWrites();
  tabs = [];
  globalThis.fetch = service.fetch;
  globalThis.toasts = [];
  globalThis.reported = [];
});

afterEach(() => {
  tabs.forEach((tab) => tab.close());
  assert.deepEqual(globalThis.reported, []);
});

describe("sending", () => {
  it("stores a write before it is sent", async () => {
    const tab = await open();
    let before = null;
    service.between = ({ method }) => { before ??= method === "CreateTask" ? stored.readWrites() : null; };
    await tab.add("first");
    await tab.quiet();
    assert.equal((await before).length, 1);
    assert.deepEqual(await stored.readWrites(), []);
  });

  it("makes changes of a time without network once and in order, also when answers are lost", async () => {
    const tab = await open();
    service.between = lost;
    for (let number = 0; number < 10; number += 1) await tab.add(`task ${number}`);
    assert.equal(tab.titles().length, 10);
    let number = 0;
    service.between = () => undefined;
    service.afterwards = () => (number++ % 3 === 0 ? lost() : undefined);
    tab.queue.kick();
    await tab.quiet();
    assert.deepEqual(service.titles(), Array.from({ length: 10 }, (_, at) => `task ${at}`));
    assert.deepEqual(tab.titles(), service.titles());
  });

  it("gives writes behind a new task the id of the service", async () => {
    const tab = await open();
    service.between = lost;
    const id = await tab.add("draft");
    tab.rename(id, "final");
    tab.complete(id);
    await until(async () => (await stored.readWrites()).length === 3, "stored");
    service.between = () => undefined;
    tab.queue.kick();
    await tab.quiet();
    const [task] = service.tasks.values();
    assert.deepEqual([task.title, task.completed, task.version], ["final", true, 3]);
    assert.deepEqual(tab.conflicts, []);
  });

  it("goes on where a closed tab has stopped", async () => {
    const closed = await open();
    service.between = lost;
    const id = await closed.add("kept");
    closed.rename(id, "kept and renamed");
    await until(async () => (await stored.readWrites()).length === 2, "stored");
    closed.close();
    service.between = () => undefined;
    const tab = await open();
    await until(() => service.titles()[0] === "kept and renamed", "sent");
    await tab.quiet();
    assert.deepEqual([tab.titles(), service.tasks.size, service.changes.length], [["kept and renamed"], 1, 2]);
  });

  it("lets one tab at a time send, and tells the others", async () => {
    const [one, other] = [await open(), await open()];
    let calls = 0;
    let most = 0;
    service.between = () => { calls += 1; most = Math.max(most, calls); };
    service.afterwards = () => { calls -= 1; };
    await Promise.all([one.add("a"), other.add("b"), one.add("c"), other.add("d")]);
    await one.quiet();
    await until(() => one.titles().length === 4 && other.titles().length === 4, "both know all");
    assert.equal(most, 1);
    assert.deepEqual(one.titles(), other.titles());
    assert.equal(made("CreateTask").length, 4);
  });

  it("sends from memory what the browser cannot store, and says so", async () => {
    const tab = await open();
    stored.full = true;
    tab.add("loose");
    await until(() => service.titles()[0] === "loose", "sent");
    assert.match(globalThis.toasts[0].text, /could not store/);
  });

  it("sends nothing of another user", async () => {
    const ada = await open("ada");
    service.between = lost;
    await ada.add("of ada");
    ada.close();
    service.between = () => undefined;
    stored = new StoredWrites(); // that of the other user
    const bob = await open("bob");
    await bob.add("of bob");
    await bob.quiet();
    assert.deepEqual([service.titles(), bob.titles()], [["of bob"], ["of bob"]]);
  });
});

/** A tab with tasks that the service has, whose ids are 1, 2, …. */
async function openWith(...titles) {
  const tab = await open();
  for (const title of titles) {
    await tab.add(title);
    await tab.quiet();
  }
  service.calls = [];
  return tab;
}

/** A tab without network that knows two occurrences of one series, 1 and 2. */
async function openSeries() {
  const tab = await openWith("first", "second");
  const { takeTasks } = await import(`../../web/core/store.js${tab.query}`);
  for (const id of [1, 2]) {
    const task = service.change(id, { seriesId: "s" });
    takeTasks([[id, { ...tab.task(id), version: task.version, etag: `v${task.version}`, series_id: "s" }]]);
  }
  service.between = lost;
  return tab;
}

describe("conflicts", () => {
  it("holds a stale change back with both versions; what is behind it on the task waits, the rest goes on", async () => {
    const tab = await openWith("draft", "other");
    service.between = lost;
    tab.rename(1, "mine");
    tab.complete(1);
    tab.rename(2, "other, renamed");
    await until(async () => (await stored.readWrites()).length === 3, "stored");
    service.change(1, { title: "theirs" });
    service.between = () => undefined;
    tab.queue.kick();
    await until(() => tab.conflicts.length === 1 && service.tasks.get(2).title === "other, renamed", "held");
    const [{ mine, theirs }] = tab.conflicts;
    assert.deepEqual([mine.title, theirs.title, service.tasks.get(1).title], ["mine", "theirs", "theirs"]);
    assert.equal(service.tasks.get(1).completed, undefined, "what is behind it waits");
  });

  for (const choice of ["mine", "theirs"]) {
    it(`makes ${choice} the task when the user says so`, async () => {
      const tab = await openWith("draft");
      service.change(1, { title: "theirs" });
      tab.rename(1, "mine");
      tab.complete(1);
      await until(() => tab.conflicts.length === 1, "held");
      await tab.queue.resolve(tab.conflicts[0], choice);
      await until(() => service.tasks.get(1).completed && tab.pending.length === 0, "settled");
      assert.deepEqual([service.tasks.get(1).title, tab.task(1).title], [choice, choice]);
    });
  }

  it("brings a deleted task back for the words that were written meanwhile", async () => {
    const tab = await openWith("draft");
    service.remove(1);
    tab.rename(1, "late words");
    await until(() => tab.conflicts.length === 1, "held");
    assert.equal(tab.conflicts[0].theirs, null);
    await tab.queue.resolve(tab.conflicts[0], "mine");
    await until(() => service.tasks.get(1)?.title === "late words" && tab.pending.length === 0, "brought back");
    assert.equal(tab.task(1).title, "late words");
  });

  it("does not take the user's own change of a whole series for one of somebody else", async () => {
    const tab = await openSeries();
    tab.rename(1, "all renamed", { scope: "SERIES_SCOPE_ALL" });
    tab.rename(2, "second, renamed");
    await until(async () => (await stored.readWrites()).length === 2, "stored");
    service.between = () => undefined;
    tab.queue.kick();
    await until(() => service.tasks.get(2).title === "second, renamed" && tab.pending.length === 0, "both are made");
    assert.deepEqual([tab.conflicts, service.tasks.get(1).title], [[], "all renamed"]);
  });

  it("finds a change of somebody else beside the user's own change of the series", async () => {
    const tab = await openSeries();
    tab.rename(1, "all renamed", { scope: "SERIES_SCOPE_ALL" });
    tab.rename(2, "second, renamed");
    await until(async () => (await stored.readWrites()).length === 2, "stored");
    service.change(2, { title: "theirs" });
    service.between = () => undefined;
    tab.queue.kick();
    await until(() => tab.conflicts.length === 1, "held");
  });
});

describe("what cannot be sent", () => {
  for (const status of [400, 403, 413]) {
    it(`is kept when something between page and service answers ${status}, and the rest goes on`, async () => {
      const tab = await openWith();
      service.between = ({ request }) => (request.task?.title === "odd" ? new Response("<html>No.</html>", { status }) : undefined);
      const id = await tab.add("odd");
      tab.rename(id, "odd, renamed");
      await tab.add("usual");
      await until(() => service.titles()[0] === "usual" && tab.stuck.length === 1, "set aside");
      assert.match(tab.stuck[0].text, new RegExp(`answered ${status}`));
      assert.deepEqual(tab.titles(), ["odd, renamed", "usual"], "it is still shown");
      assert.equal((await stored.readWrites()).length, 2);
      service.between = () => undefined;
      await tab.queue.sendAgain(tab.stuck[0]);
      await until(() => service.titles().includes("odd, renamed") && tab.pending.length === 0, "sent");
    });
  }

  it("is sent again under the same id, so a call that a proxy has passed on is not made twice", async () => {
    const tab = await openWith();
    service.afterwards = ({ method }) => (method === "CreateTask" ? new Response("too large", { status: 413 }) : undefined);
    await tab.add("once");
    await until(() => tab.stuck.length === 1, "set aside");
    service.afterwards = () => undefined;
    await tab.queue.sendAgain(tab.stuck[0]);
    await until(() => tab.pending.length === 0, "sent");
    assert.deepEqual([service.titles(), tab.titles()], [["once"], ["once"]]);
  });

  it("waits for the user after some tries when the service fails, also in a tab that is opened later", async () => {
    const first = await openWith("draft");
    service.between = ({ method }) => (method === "UpdateTask" ? Response.json({ code: "internal", message: "oops" }, { status: 500 }) : undefined);
    first.rename(1, "unlucky");
    await until(() => first.stuck.length === 1, "set aside");
    first.close();
    service.between = () => undefined;
    const tab = await open();
    assert.deepEqual(tab.stuck.map(({ label }) => label), ["Rename to unlucky"]);
    await tab.queue.sendAgain(tab.stuck[0]);
    await until(() => service.tasks.get(1).title === "unlucky", "sent");
  });

  it("is given up only by the user, and what needs it goes with it", async () => {
    const tab = await openWith();
    service.between = ({ method }) => (method === "CreateTask" ? Response.json({ code: "internal" }, { status: 500 }) : undefined);
    const id = await tab.add("hopeless");
    tab.complete(id);
    await until(() => tab.stuck.length === 1, "set aside");
    await tab.queue.giveUp(tab.stuck[0]);
    await until(() => tab.pending.length === 0, "given up");
    assert.deepEqual([tab.titles(), await stored.readWrites(), made("CompleteTask")], [[], [], []]);
  });

  it("is taken back with the reason when the service itself refuses", async () => {
    const tab = await openWith();
    await tab.add("");
    await tab.quiet();
    assert.deepEqual([tab.titles(), tab.stuck], [[], []]);
    assert.match(globalThis.toasts.at(-1).text, /taken back, because/);
  });
});

describe("several changes in one call", () => {
  const batch = (tab, changes, optimistic) => tab.queue.write({ method: "BatchUpdateTasks", label: "Several", request: { changes }, optimistic });

  it("makes the others when the task of one is gone", async () => {
    const tab = await openWith("gone", "here");
    service.remove(1);
    batch(tab, [1, 2].map((id) => ({ id, completed: true })), [1, 2].map((id) => ({ update: id, fields: { completed: true } })));
    await until(() => service.tasks.get(2).completed && tab.pending.length === 0, "made");
    assert.match(globalThis.toasts.at(-1).text, /deleted/);
  });

  it("makes a conflict of each stale one, and makes the others", async () => {
    const tab = await openWith("a", "b", "c");
    service.change(1, { title: "theirs a" });
    service.change(3, { title: "theirs c" });
    batch(tab, [1, 2, 3].map((id) => ({ id, etag: "v1", update: { task: { priority: "PRIORITY_HIGH" }, updateMask: "priority" } })),
      [1, 2, 3].map((id) => ({ update: id, fields: { priority: "high" } })));
    await until(() => tab.conflicts.length === 2 && service.tasks.get(2).priority, "the other is made");
    assert.deepEqual(tab.conflicts.map(({ id }) => id), [1, 3]);
    for (const conflict of [...tab.conflicts]) await tab.queue.resolve(conflict, "mine");
    await until(() => tab.pending.length === 0, "settled");
    assert.deepEqual([...service.tasks.values()].map(({ title, priority }) => [title, priority]),
      [["theirs a", "PRIORITY_HIGH"], ["b", "PRIORITY_HIGH"], ["theirs c", "PRIORITY_HIGH"]]);
  });

  it("is no conflict with the user's own changes just before", async () => {
    const tab = await openWith("a", "b");
    service.between = lost;
    const change = (priority) => batch(tab, [1, 2].map((id) => ({ id, etag: "v1", update: { task: { priority }, updateMask: "priority" } })),
      [1, 2].map((id) => ({ update: id, fields: { priority } })));
    tab.complete(1);
    change("PRIORITY_HIGH");
    change("PRIORITY_LOW");
    await until(async () => (await stored.readWrites()).length === 3, "stored");
    service.between = () => undefined;
    tab.queue.kick();
    await until(() => tab.pending.length === 0 || tab.conflicts.length > 0, "settled");
    assert.deepEqual([tab.conflicts, service.tasks.get(1).priority, service.tasks.get(2).priority], [[], "PRIORITY_LOW", "PRIORITY_LOW"]);
  });
});
