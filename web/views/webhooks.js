// Webhook endpoints: adding, testing, switching, new secrets, and the log of deliveries.
import { html, useState } from "/lib/preact.js";
import { call } from "../core/api.js";
import { newId } from "../core/browser.js";
import { announce } from "../core/announce.js";
import { Dialog, confirm } from "../ui/dialog.js";
import { toast } from "../ui/toast.js";
import { DataTable, ErrorState, Field, Loading, Switch, explain, relativeTime, useId, useLoad } from "./parts.js";

const service = "NotificationService";
const fail = (error) => {
  const { title, advice } = explain(error);
  toast({ text: `${title}. ${advice}` });
};

/** The section of the preferences. `available`: the server has the channel. */
export function Webhooks({ available }) {
  const list = useLoad((signal) => call(service, "ListWebhookEndpoints", {}, { signal, get: true })
    .then((answer) => answer.endpoints || []), []);
  const [adding, setAdding] = useState(false);
  const [secret, setSecret] = useState(null);
  const put = (endpoint) => list.setData((was) => was
    .map((each) => (each.id === endpoint.id ? { ...each, enabled: false, ...endpoint } : each)));
  if (!available) return html`<p
    class="v-hint">Webhooks are not set up on this server. Its administrator adds the secret “webhook-master-key”.</p>`;
  if (!list.data) return list.error ? html`<${ErrorState} error=${list.error} retry=${list.reload} />`
    : html`<${Loading} lines=${2} />`;
  return html`<div>
    ${list.data.length === 0
      && html`<p class="v-hint">A webhook tells another program of due reminders or changed tasks. Calls follow Standard Webhooks and are signed.</p>`}
    <ul class="v-endpoints">${list.data
      .map((endpoint) => html`<${Endpoint} key=${endpoint.id} endpoint=${endpoint} put=${put}
      onSecret=${setSecret} onGone=${() => list.setData((was) => was
        .filter((each) => each.id !== endpoint.id))} />`)}</ul>
    ${adding ? html`<${NewEndpoint} onCancel=${() => setAdding(false)} onMade=${(endpoint) => {
        setAdding(false);
        setSecret(endpoint);
        list.setData((was) => [...was, { ...endpoint, secret: undefined }]);
      }} />`
      : html`<button type="button" class="button" disabled=${list.data.length >= 10}
        onClick=${() => setAdding(true)}>Add a webhook</button>`}
    ${secret && html`<${SecretDialog} endpoint=${secret} onClose=${() => setSecret(null)} />`}
  </div>`;
}

function NewEndpoint({ onCancel, onMade }) {
  const id = useId();
  const [url, setUrl] = useState("");
  const [kinds, setKinds] = useState({ reminders: true, taskEvents: false });
  const [error, setError] = useState("");
  const [busy, setBusy] = useState(false);
  const [requestId] = useState(() => newId());
  const save = async (event) => {
    event.preventDefault();
    // The server knows which addresses it may call.
    if (!/^https?:\/\//i.test(url)) return setError("The address must begin with https://.");
    if (!kinds.reminders && !kinds.taskEvents) return setError("Choose at least one kind of call.");
    setBusy(true);
    try {
      return onMade(await call(service, "CreateWebhookEndpoint",
        { endpoint: { url, ...kinds, enabled: true }, requestId }));
    } catch (failure) {
      setBusy(false);
      return setError(explain(failure).advice);
    }
  };
  return html`<form class="v-inset" onSubmit=${save} noValidate>
    <${Field} id=${id} label="Address" error=${error} hint="An address of the public internet that takes POST.">
      <input id=${id} type="url" required value=${url} placeholder="https://hooks.example/todo" autocomplete="off"
        spellcheck=${false}
        aria-invalid=${error ? "true" : null} aria-describedby=${`${id}-hint${error ? ` ${id}-error` : ""}`}
        onInput=${(event) => { setUrl(event.currentTarget.value); setError(""); }} /><//>
    <${Kinds} id=${id} value=${kinds} onChange=${setKinds} />
    <div class="v-row"><button type="submit" class="button primary" disabled=${busy}>Add</button>
      <button type="button" class="button" onClick=${onCancel}>Cancel</button></div>
  </form>`;
}

function Kinds({ id, value, onChange }) {
  return html`<${Switch} id=${`${id}-reminders`} label="Due reminders" checked=${value.reminders}
    onChange=${(reminders) => onChange({ ...value, reminders })} />
    <${Switch} id=${`${id}-events`} label="Changes of tasks" hint="Created, updated, completed, opened again, deleted."
      checked=${value.taskEvents}
      onChange=${(taskEvents) => onChange({ ...value, taskEvents })} />`;
}

/** The signing secret, which the server shows this once. */
function SecretDialog({ endpoint, onClose }) {
  const [copied, setCopied] = useState(false);
  const copy = async () => {
    await navigator.clipboard.writeText(endpoint.secret).then(() => setCopied(true), () => setCopied(false));
    announce("The secret was copied");
  };
  return html`<${Dialog} title="The signing secret" onClose=${onClose}>
    <p>Receivers of calls to <bdi class="v-code">${endpoint.url}
      </bdi> check the signature with this secret. <b>It is not shown again.</b></p>
    <p><code class="v-secret" tabindex="0" aria-label="Signing secret">${endpoint.secret}</code></p>
    <div class="v-row"><button type="button" class="button primary" onClick=${copy}>
      ${copied ? "Copied" : "Copy"}</button>
      <button type="button" class="button" onClick=${onClose}>I have kept it</button></div>
  <//>`;
}

function Endpoint({ endpoint, put, onSecret, onGone }) {
  const id = useId();
  const [test, setTest] = useState(null);
  const [log, setLog] = useState(false);
  const update = (fields) => call(service, "UpdateWebhookEndpoint",
    { endpoint: { id: endpoint.id, ...fields }, updateMask: Object.keys(fields).join(",") })
    .then(put, fail);
  const runTest = async () => {
    setTest({ busy: true });
    try {
      setTest(await call(service, "TestWebhookEndpoint", { id: endpoint.id }));
    } catch (error) {
      setTest({ detail: explain(error).advice });
    }
  };
  const rotate = async () => {
    const sure = await confirm({ title: "Make a new secret?", confirmLabel: "Make a new secret",
      text: "Calls are signed with the old and the new secret for a day, so that receivers can change over." });
    if (sure) call(service, "RotateWebhookSecret", { id: endpoint.id, requestId: newId() })
      .then((answer) => { onSecret(answer); put({ ...answer, secret: undefined }); }, fail);
  };
  const remove = async () => {
    const sure = await confirm({ title: "Delete this webhook?", confirmLabel: "Delete", danger: true,
      text: `${endpoint.url} gets no further calls. Its log and the calls that wait are deleted too.` });
    if (sure) call(service, "DeleteWebhookEndpoint", { id: endpoint.id }).then(onGone, fail);
  };
  return html`<li class="v-inset">
    <p class="v-endpoint-head">
      <bdi class="v-code">${endpoint.url}</bdi> <span class=${`v-pill ${endpoint.enabled ? "good" : "bad"}`}>
        ${endpoint.enabled ? "on" : "off"}</span></p>
    ${endpoint.disabledReason && html`<p class="v-error">Switched off by the service: ${endpoint.disabledReason}</p>`}
    ${endpoint.previousSecretUntil && Date.parse(endpoint.previousSecretUntil) > Date.now()
      && html`<p class="v-hint">Signed with the former secret too, until ${relativeTime(endpoint.previousSecretUntil)}.</p>`}
    <${Switch} id=${`${id}-on`} label=${html`On<span class="visually-hidden"> for ${endpoint.url}</span>`}
      checked=${Boolean(endpoint.enabled)}
      onChange=${(enabled) => update({ enabled })} />
    <${Kinds} id=${id} value=${{ reminders: Boolean(endpoint.reminders), taskEvents: Boolean(endpoint.taskEvents) }}
      onChange=${(next) => update(next.reminders !== Boolean(endpoint.reminders)
        ? { reminders: next.reminders } : { taskEvents: next.taskEvents })} />
    <div class="v-row">
      <button type="button" class="button small" disabled=${test?.busy} onClick=${runTest}>
        ${test?.busy ? "Calling …" : "Test call"}</button>
      <button type="button" class="button small" aria-expanded=${log ? "true" : "false"}
        onClick=${() => setLog(!log)}>Deliveries</button>
      <button type="button" class="button small" onClick=${rotate}>New secret</button>
      <button type="button" class="button small danger" onClick=${remove}>Delete</button>
    </div>
    ${test && !test.busy && html`<p role="status" class=${test.delivered ? "v-good" : "v-error"}>
      ${test.delivered ? "The endpoint took the call" : "The endpoint did not take the call"}
        ${test.statusCode ? ` (status ${test.statusCode})` : ""}
          ${test.detail && !test.delivered ? `: ${test.detail}` : "."}</p>`}
    ${log && html`<${Deliveries} endpoint=${endpoint} />`}
  </li>`;
}

const stateWords = { WEBHOOK_DELIVERY_STATE_PENDING: "waits", WEBHOOK_DELIVERY_STATE_DELIVERED: "delivered",
  WEBHOOK_DELIVERY_STATE_FAILED: "failed" };

function Deliveries({ endpoint }) {
  const log = useLoad((signal) => call(service, "ListWebhookDeliveries", { endpointId: endpoint.id, pageSize: 50 },
    { signal, get: true })
    .then((answer) => answer.deliveries || []), [endpoint.id], { every: 5000 });
  if (!log.data) return log.error ? html`<${ErrorState} error=${log.error} retry=${log.reload} />`
    : html`<${Loading} lines=${2} />`;
  if (log.data.length === 0) return html`<p class="v-hint">No call was made yet. Deliveries are kept for 30 days.</p>`;
  const again = (delivery) => call(service, "RedeliverWebhook", { id: delivery.id }).then(() => {
    announce("The call is made again");
    log.reload();
  }, fail);
  const columns = [
    { title: "Call", header: true, cell: (row) => row.type },
    { title: "Made", cell: (row) => relativeTime(row.createdAt) },
    { title: "State", cell: (row) => html`<span
      class=${`v-pill ${row.state.endsWith("DELIVERED") ? "good" : row.state.endsWith("FAILED") ? "bad" : ""}`}>
        ${stateWords[row.state]}</span>` },
    { title: "Attempts", cell: (row) => html`<${Attempts} delivery=${row} />` },
    { title: "Again", cell: (row) => !row.state.endsWith("PENDING")
      && html`<button type="button" class="button small"
        onClick=${() => again(row)}>Send again<span
          class="visually-hidden"> ${row.type} of ${relativeTime(row.createdAt)}</span></button>` },
  ];
  return html`<${DataTable} caption=${`Deliveries to ${endpoint.url}`} columns=${columns} rows=${log.data}
    rowKey=${(row) => row.id} />`;
}

function Attempts({ delivery }) {
  const attempts = delivery.attempts || [];
  const next = delivery.nextAttemptAt && html`<small>next ${relativeTime(delivery.nextAttemptAt)}</small>`;
  if (attempts.length === 0) return next || "none yet";
  return html`<details class="v-attempts"><summary>${attempts.length} ${next}</summary>
    <ul>${attempts.map((each, index) => html`<li key=${index}>
    <time dateTime=${each.at}>${relativeTime(each.at)}</time>: ${each.outcome}
      ${each.statusCode ? `, status ${each.statusCode}` : ""}${each.tookMs ? `, ${each.tookMs} ms` : ""}
        ${each.detail ? html` – <bdi>${each.detail}</bdi>` : ""}</li>`)}</ul></details>`;
}
