// The official client for TypeScript in a dialogue with the service. The argument is JSON: url, token, otherToken.
import assert from "node:assert/strict";
import { randomUUID } from "node:crypto";

import { Client } from "@modelcontextprotocol/sdk/client/index.js";
import { StreamableHTTPClientTransport } from "@modelcontextprotocol/sdk/client/streamableHttp.js";

const { url, token, otherToken } = JSON.parse(process.argv[2]);

async function connect(bearer) {
  const client = new Client({ name: "tests", version: "1" });
  const headers = { authorization: `Bearer ${bearer}` };
  await client.connect(new StreamableHTTPClientTransport(new URL(url), { requestInit: { headers } }));
  return client;
}

// The structured content of a tool that succeeds; the client holds it against the tool's schema.
async function call(client, name, args = {}) {
  const result = await client.callTool({ name, arguments: args });
  assert.ok(!result.isError, result.content[0].text);
  return result.structuredContent;
}

async function advice(client, name, args) {
  const result = await client.callTool({ name, arguments: args });
  assert.equal(result.isError, true);
  return result.content[0].text;
}

const ada = await connect(token);
assert.match(ada.getInstructions(), /find_tasks/);
assert.equal(ada.getServerVersion().name, "todo-service");
const { tools } = await ada.listTools();
assert.equal(tools.length, 10);
assert.equal(tools.find((tool) => tool.name === "find_tasks").annotations.readOnlyHint, true);
await ada.ping();

// ---- add, find among titles alike, complete
const { task: report } = await call(ada, "add_task", {
  title: "Write the report", due_local: "2030-05-01T09:00", time_zone: "Europe/Berlin", request_id: randomUUID(),
});
await call(ada, "add_task", { title: "Write the report of the year" });
const { tasks } = await call(ada, "find_tasks", { words: "report" });
assert.equal(tasks.length, 2);
const meant = tasks.find((task) => task.title === "Write the report");
const { task: done } = await call(ada, "complete_task", { id: meant.id, etag: meant.etag });
assert.deepEqual([done.id, done.completed], [report.id, true]);

// ---- resources
const day = await ada.readResource({ uri: "todo://today" });
assert.ok(Array.isArray(JSON.parse(day.contents[0].text).due_today));
await assert.rejects(ada.readResource({ uri: "todo://nothing" }), /no such resource/);

// ---- refused: somebody else's task, a deletion of what was not shown, an unknown tool
const other = await connect(otherToken);
assert.match(await advice(other, "complete_task", { id: report.id }), /^you have no task/);
assert.match(await advice(ada, "delete_task", { id: report.id }), /^etag: must be given/);
await assert.rejects(ada.callTool({ name: "drop_tables", arguments: {} }), /no tool drop_tables/);
await assert.rejects(connect(`${token.slice(0, -4)}AAAA`), /token/);

await ada.close();
await other.close();
console.log("ok");
