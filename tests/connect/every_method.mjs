// Calls every method of the service with the Connect client for Node, in one format.
//
//     node every_method.mjs '{"url": …, "descriptors": FILE, "headers": {…}, "operatorHeaders": {…}, "format": "json" | "proto" | "get"}'
//
// Prints one line of JSON for each call: the method and "ok" or the name of the error's code. Fails when a method was
// not called, or an answer is not as it should be.

import assert from "node:assert";
import { randomUUID } from "node:crypto";
import { readFileSync } from "node:fs";
import { createFileRegistry, fromBinary } from "@bufbuild/protobuf";
import { FileDescriptorSetSchema } from "@bufbuild/protobuf/wkt";
import { Code, ConnectError, createClient } from "@connectrpc/connect";
import { createConnectTransport } from "@connectrpc/connect-node";

const { url, descriptors, headers, operatorHeaders, format } = JSON.parse(process.argv[2]);
const registry = createFileRegistry(fromBinary(FileDescriptorSetSchema, readFileSync(descriptors)));
const transport = createConnectTransport({
  baseUrl: url,
  httpVersion: "1.1",
  useBinaryFormat: format === "proto",
  useHttpGet: format === "get",
});
const services = ["TodoService", "ReminderService", "NotificationService", "ChatService", "AnalyticsService",
                  "OpsService"].map((name) => registry.getService(`todo.v1.${name}`));
const clients = services.map((service) => createClient(service, transport));
const called = new Set();

/// Calls the method of this name; answers the response, or the error when its code is one of `refusals`.
async function call(name, request = {}, { operator = false, refusals = [] } = {}) {
  const index = services.findIndex((service) => service.methods.some((method) => method.name === name));
  const method = services[index].methods.find((candidate) => candidate.name === name);
  called.add(name);
  try {
    const response = await clients[index][method.localName](request, { headers: operator ? operatorHeaders : headers });
    assert.ok(!refusals.length || refusals.includes("ok"), `${name} succeeded`);
    console.log(JSON.stringify({ method: name, outcome: "ok" }));
    return response;
  } catch (error) {
    if (!(error instanceof ConnectError)) throw error;
    assert.ok(refusals.includes(error.code), `${name}: ${error.message}`);
    console.log(JSON.stringify({ method: name, outcome: Code[error.code] }));
    return error;
  }
}

// ---- tasks
const task = await call("CreateTask", {
  task: { title: "Water the plants", dueLocal: "2030-05-01T09:00:00", timeZone: "Europe/Berlin",
          recurrenceRule: "FREQ=WEEKLY" },
  requestId: randomUUID(),
});
const { id } = task;
assert.equal(typeof id, "bigint");
assert.equal((await call("GetTask", { id })).title, "Water the plants");
assert.equal((await call("ListTasks", { filter: { text: "PLANTS" } })).tasks.length, 1);
assert.equal((await call("UpdateTask", { task: { id, title: "Water" }, updateMask: { paths: ["title"] } })).title, "Water");
assert.equal((await call("PreviewRecurrence", { task: { dueLocal: "2030-05-01", recurrenceRule: "daily" } })).occurrences.length, 10);

// ---- reminders
const reminder = await call("CreateReminder", { taskId: id, reminder: { before: "PT1H" } });
assert.equal((await call("ListReminders", { taskId: id })).reminders.length, 1);
await call("SnoozeReminder", { taskId: id, number: reminder.number, duration: "PT10M" });
await call("DeleteReminder", { taskId: id, number: reminder.number });

// ---- the end of a series
await call("CompleteTask", { id });
await call("UncompleteTask", { id });
assert.ok((await call("SkipTask", { id })).id === id);
const { tasks } = await call("ListTasks");
const other = (await call("CreateTask", { task: { title: "One", dueLocal: "2030-01-01", recurrenceRule: "daily" } })).id;
await call("StopSeries", { id: other });
await call("DeleteTask", { id: other });
assert.ok(tasks.every((entry) => entry.id !== id));
assert.ok((await call("ListChanges")).changes.length >= 7);
await call("GetTask", { id: other }, { refusals: [Code.NotFound] });
assert.equal((await call("RestoreTask", { id: other })).version, 4n);
const batch = await call("BatchUpdateTasks", {
  changes: [{ id: other, change: { case: "tags", value: { add: ["home"] } } },
            { id: other, change: { case: "completed", value: true } }],
});
assert.deepEqual(batch.tasks.map((entry) => [entry.version, entry.completed]), [[5n, false], [6n, true]]);
const { pieces } = await call("ParseTask", { text: "Rent every month on the 1st #home" });
assert.deepEqual(pieces.map((piece) => piece.text), ["every month on the 1st", "#home"]);

// ---- screens
const { ticket, expireTime } = await call("CreateWatchTicket");
assert.equal(ticket.split(".").length, 3);
assert.ok(Number(expireTime.seconds) * 1000 > Date.now());
called.add("WatchTasks");
const NO_TASKS = 3; // SNAPSHOT_SCOPE_NONE
const leaving = new AbortController();
const events = [];
try {
  for await (const { event } of clients[0].watchTasks({ snapshot: NO_TASKS }, { headers, signal: leaving.signal })) {
    events.push(event);
    leaving.abort();
  }
} catch (error) {
  assert.equal(ConnectError.from(error).code, Code.Canceled);
}
assert.equal(events[0].case, "snapshot");
assert.ok(events[0].value.last && events[0].value.cursor.seq >= 7n);
console.log(JSON.stringify({ method: "WatchTasks", outcome: "ok" }));

// ---- notifications; which channels there are depends on the set-up of the service
const unavailable = ["ok", Code.FailedPrecondition];
const nothing = "00000000-0000-7000-8000-000000000000";
assert.equal((await call("ListNotifications")).notifications.length, 0);
assert.equal((await call("MarkNotificationsRead", { all: true })).markedCount, 0);
await call("UpdatePreferences", { preferences: { timeZone: "Asia/Tokyo" } });
assert.equal((await call("GetPreferences")).timeZone, "Asia/Tokyo");
await call("GetChannels");
await call("SetEmailAddress", { emailAddress: "ada@example.com" }, { refusals: unavailable });
await call("CreateWebhookEndpoint", { endpoint: { url: "https://hooks.example/x", reminders: true } }, { refusals: unavailable });
await call("ListWebhookEndpoints");
await call("UpdateWebhookEndpoint", { endpoint: { id: nothing, enabled: false }, updateMask: { paths: ["enabled"] } },
           { refusals: [Code.NotFound] });
await call("DeleteWebhookEndpoint", { id: nothing }, { refusals: [Code.NotFound] });
await call("RotateWebhookSecret", { id: nothing }, { refusals: [Code.NotFound, Code.FailedPrecondition] });
await call("TestWebhookEndpoint", { id: nothing }, { refusals: [Code.NotFound, Code.FailedPrecondition] });
await call("ListWebhookDeliveries", { endpointId: nothing }, { refusals: [Code.NotFound] });
await call("RedeliverWebhook", { id: nothing }, { refusals: [Code.NotFound, Code.FailedPrecondition] });
await call("AddPushSubscription", { subscription: { endpoint: "https://push.example/1", p256dh: "x", auth: "y" } },
           { refusals: [Code.FailedPrecondition, Code.InvalidArgument] });
await call("ListPushSubscriptions");
await call("RemovePushSubscription", { id: nothing }, { refusals: [Code.NotFound] });

// ---- chat
assert.match((await call("Send", { text: "what's due today?", requestId: randomUUID() })).text, /due/);

// ---- usage
assert.equal((await call("GetUsage")).points.length, 30);

// ---- operators
await call("ListDeadLetters", {}, { refusals: [Code.PermissionDenied] });
const operator = { operator: true };
await call("ListDeadLetters", {}, operator);
await call("GetDeadLetter", { id: nothing }, { ...operator, refusals: [Code.NotFound] });
assert.equal((await call("ReplayDeadLetters", { ids: [nothing] }, operator)).replayedCount, 0);
assert.equal((await call("DiscardDeadLetters", { ids: [nothing], note: "a test" }, operator)).discardedCount, 0);
await call("RebuildAnalytics", {}, operator);
assert.ok((await call("SetLogLevel", { level: 2, duration: { seconds: 1n } }, operator)).until);
assert.equal((await call("GetStatus", {}, operator)).sidecarAnswers, true);

const declared = services.flatMap((service) => service.methods.map((method) => method.name));
assert.deepEqual([...called].sort(), declared.sort(), "every method is called");
