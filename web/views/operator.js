// The operator's view: the state of the service as a picture, dead letters, and upkeep. It refreshes itself while it is
// visible.
import { html, useEffect, useRef, useState } from "/lib/preact.js";
import { call } from "../core/api.js";
import { announce } from "../core/announce.js";
import { confirm } from "../ui/dialog.js";
import { toast } from "../ui/toast.js";
import { DeadLetters } from "./dead_letters.js";
import { ErrorState, Loading, StaleStrip, count, duration, explain, numberText, relativeTime, useId,
  useLoad } from "./parts.js";

const every = 4000;
const kept = 75; // samples of a small curve: five minutes

const fail = (error) => {
  const { title, advice } = explain(error);
  toast({ text: `${title}. ${advice}` });
};

const age = (time) => (time ? Math.max(0, (Date.now() - Date.parse(time)) / 1000) : 0);

function fetchStatus(signal) {
  return call("OpsService", "GetStatus", {}, { signal, get: true }).then((status) => ({
    changes: count(status.unpublishedChanges), messages: count(status.unpublishedMessages),
      oldest: age(status.oldestUnpublished),
    retries: count(status.waitingRetries), nextRetry: status.nextRetry, deadLetters: count(status.openDeadLetters),
      lost: count(status.lostEvents),
    shards: (status.shards || [])
      .map((each) => ({ number: each.number || 0, owner: each.leased ? each.owner || "" : "",
        epoch: count(each.epoch) })),
    sidecar: Boolean(status.sidecarAnswers), components: status.components || [],
      subscriptions: status.subscriptions || [],
    reminders: { pending: count(status.pendingReminders), overdue: count(status.overdueReminders),
      unplanned: count(status.unplannedReminders), jobs: count(status.unwrittenJobs) },
    deliveries: count(status.pendingDeliveries), oldestDelivery: age(status.oldestDelivery),
      rebuild: status.usageRebuild || null, at: Date.now(),
  }));
}

/** What an operator should look at: `[{text, advice}]`. */
export function troubles(status) {
  const found = [];
  const add = (text, advice) => found.push({ text, advice });
  if (!status.sidecar) add("The sidecar does not answer",
    "Changes are accepted and wait in the database. Look after daprd of this replica.");
  if (status.oldest > 30) add(`The oldest change has waited for ${duration(status.oldest)}`,
    "Look after sidecar and broker. Nothing is lost; the disk is the limit.");
  const free = status.shards.filter((each) => !each.owner).length;
  if (free > 0) add(`${free} ${free === 1 ? "shard has" : "shards have"} no replica`,
    "Another replica takes them within seconds. If not, start one of role all or events.");
  if (status.lost > 0) add(`${numberText(status.lost)} events were lost by the bus`,
    "A consumer did not get them after five copies. The runbook says how to let the audit try again.");
  if (status.deadLetters > 0) add(`${numberText(status.deadLetters)} dead ${status.deadLetters === 1 ? "letter is"
    : "letters are"} open`, "Read the reason below, remove its cause, then replay.");
  if (status.reminders.overdue > 0) add(`${numberText(status.reminders.overdue)} reminders are overdue`,
    "If the number stays, the scheduler is away and only the sweep fires reminders.");
  if (status.oldestDelivery > 120) add(`The oldest delivery is due for ${duration(status.oldestDelivery)}`,
    "An endpoint is slow, or the deliveries do not keep up.");
  return found;
}

/** The last samples of each number, for the small curves. */
function useHistory(status) {
  const history = useRef({ changes: [], retries: [], deadLetters: [], reminders: [], deliveries: [] });
  const last = useRef(0);
  if (status && status.at !== last.current) {
    last.current = status.at;
    const now = { changes: status.changes + status.messages, retries: status.retries, deadLetters: status.deadLetters,
      reminders: status.reminders.overdue, deliveries: status.deliveries };
    for (const [name, value] of Object.entries(now)) history.current[name] = [...history.current[name],
      value].slice(-kept);
  }
  return history.current;
}

export function OperatorView() {
  const load = useLoad(fetchStatus, [], { every });
  const history = useHistory(load.data);
  const status = load.data;
  if (!status) {
    return html`<div class="v-view"><h1>Operator</h1>
      ${load.error ? html`<${ErrorState} error=${load.error} retry=${load.reload} />
      ${load.error.code === "permission_denied"
        && html`<p class="v-hint">With development identity, sign in with the box “operator” ticked.</p>`}`
      : html`<${Loading} label="Loading the status" lines=${6} />`}</div>`;
  }
  return html`<div class="v-view v-operator">
    <header class="v-head"><h1>Operator</h1><${Freshness} at=${status.at} error=${load.error} /></header>
    <${StaleStrip} error=${load.error} retry=${load.reload} />
    <${Verdict} found=${troubles(status)} />
    <${Flow} status=${status} history=${history} />
    <div class="v-columns"><${Shards} shards=${status.shards} /><${Sidecar} status=${status} /></div>
    <${DeadLetters} open=${status.deadLetters} onChange=${load.reload} />
    <${Upkeep} rebuild=${status.rebuild} onChange=${load.reload} />
  </div>`;
}

function Freshness({ at, error }) {
  const [now, setNow] = useState(Date.now());
  useEffect(() => {
    const timer = setInterval(() => setNow(Date.now()), 1000);
    return () => clearInterval(timer);
  }, []);
  const seconds = Math.max(0, Math.round((now - at) / 1000));
  return html`<p class=${`v-fresh ${error || seconds > 12 ? "bad" : ""}`}><i aria-hidden="true"></i>
    ${seconds < 2 ? "Live" : `${duration(seconds)} ago`}</p>`;
}

function Verdict({ found }) {
  const before = useRef(found.length);
  useEffect(() => {
    if (found.length !== before.current) announce(found.length === 0 ? "All is well"
      : `${found.length} things to look at: ${found[0].text}`);
    before.current = found.length;
  }, [found.length]);
  if (found.length === 0) return html`<p class="v-verdict good">
    <span aria-hidden="true">✓</span> All is well: changes are published, and nothing waits for a person.</p>`;
  return html`<section class="v-verdict bad" aria-label="To look at">
    <ul>${found.map((each) => html`<li key=${each.text}><b>${each.text}.</b> ${each.advice}</li>`)}</ul></section>`;
}

/** A small curve of the last five minutes. */
function Curve({ values }) {
  const most = Math.max(1, ...values);
  const width = Math.max(values.length, 12) - 1;
  const place = (value, index) => `${(100 * index) / width},${22 - (20 * value) / most}`;
  const points = values.map(place).join(" ");
  return html`<svg class="v-curve" viewBox="0 0 100 24" preserveAspectRatio="none" aria-hidden="true">
    <polyline points=${points} vector-effect="non-scaling-stroke" /></svg>`;
}

function Station({ title, value, bad, values, children }) {
  return html`<div class=${`v-station ${bad ? "bad" : ""}`} role="group" aria-label=${title}>
    <h2>${title}</h2><p class="v-station-value">${value}</p>${values && html`<${Curve} values=${values} />`}
      <div class="v-station-notes">${children}</div></div>`;
}

const line = (label, value,
  bad) => html`<p class=${bad ? "bad" : ""}><span>${label}</span>
    <b>${typeof value === "number" ? numberText(value) : value}</b></p>`;

/** The way of a change through the service, from the database to people. */
function Flow({ status, history }) {
  const waiting = status.changes + status.messages;
  const { reminders } = status;
  return html`<div class="v-flow" role="group" aria-label="The way of a change">
    <${Station} title="Outbox" value=${numberText(waiting)} values=${history.changes} bad=${status.oldest > 30}>
      ${line("changes", status.changes)}${line("messages", status.messages)}
        ${line("oldest", status.oldest ? duration(status.oldest) : "–", status.oldest > 30)}<//>
    <span class="v-arrow" aria-hidden="true">→</span>
    <${Station} title="Bus" value=${status.sidecar ? "up" : "away"} bad=${!status.sidecar}>
      ${line("subscriptions", status.subscriptions.length)}${line("lost events", status.lost, status.lost > 0)}<//>
    <span class="v-arrow" aria-hidden="true">→</span>
    <${Station} title="Retries" value=${numberText(status.retries)} values=${history.retries}>
      ${line("next", status.nextRetry ? relativeTime(status.nextRetry) : "–")}<//>
    <span class="v-arrow" aria-hidden="true">→</span>
    <${Station} title="Dead letters" value=${numberText(status.deadLetters)} values=${history.deadLetters}
      bad=${status.deadLetters > 0}>
      ${status.deadLetters > 0 ? html`<a href="#dead-letters">Look at them</a>` : line("open", "none")}<//>
    <${Station} title="Reminders" value=${numberText(reminders.pending)} values=${history.reminders}
      bad=${reminders.overdue > 0}>
      ${line("overdue", reminders.overdue, reminders.overdue > 0)}${line("unplanned", reminders.unplanned)}
        ${line("jobs to write", reminders.jobs)}<//>
    <${Station} title="Deliveries" value=${numberText(status.deliveries)} values=${history.deliveries}
      bad=${status.oldestDelivery > 120}>
      ${line("oldest due", status.oldestDelivery ? duration(status.oldestDelivery) : "–",
        status.oldestDelivery > 120)}<//>
  </div>`;
}

/** A replica that was given no name has a UUID, of which the end tells it from the others. */
const shortName = (owner) => (/^[0-9a-f]{8}-([0-9a-f]{4}-){3}[0-9a-f]{12}$/.test(owner)
  ? `replica …${owner.slice(-6)}` : owner);

function Shards({ shards }) {
  const id = useId();
  const owners = [...new Set(shards.map((each) => each.owner).filter(Boolean))].sort();
  const tone = (owner) => (owner ? `v-owner-${owners.indexOf(owner) % 6}` : "v-owner-none");
  return html`<section class="v-card" aria-labelledby=${id}>
    <h2 id=${id}>Shards</h2>
    <p class="v-hint">${shards.length} parts of the outbox, each published by one replica.</p>
    <ul class="v-shards">${shards
      .map((each) => html`<li key=${each.number} class=${tone(each.owner)} title=${`epoch ${each.epoch}`}>
      <span aria-hidden="true">${each.number}</span>
        <span class="visually-hidden">Shard ${each.number}: ${shortName(each.owner)
          || "no replica"}, epoch ${each.epoch}</span>
          </li>`)}</ul>
    <ul class="v-owners">${owners
      .map((owner) => html`<li key=${owner}><i class=${tone(owner)} aria-hidden="true"></i>
        <bdi title=${owner}>${shortName(owner)}</bdi> <b>
          ${shards.filter((each) => each.owner === owner).length}</b></li>`)}
      ${shards.some((each) => !each.owner)
        && html`<li><i class="v-owner-none" aria-hidden="true"></i>no replica <b>
          ${shards.filter((each) => !each.owner).length}</b></li>`}</ul>
  </section>`;
}

function Sidecar({ status }) {
  const id = useId();
  const list = (title, rows, none) => html`<h3>${title}</h3>${rows.length === 0 ? html`<p class="v-hint">${none}</p>`
    : html`<ul class="v-tags">${[...rows].sort().map((each) => html`<li key=${each}><bdi>${each}</bdi></li>`)}</ul>`}`;
  return html`<section class="v-card" aria-labelledby=${id}>
    <h2 id=${id}>Sidecar <span class=${`v-pill ${status.sidecar ? "good" : "bad"}`}>
      ${status.sidecar ? "answers" : "away"}</span></h2>
    ${list("Components", status.components, "None are known while the sidecar is away.")}
    ${list("Subscriptions", status.subscriptions, "None are known while the sidecar is away.")}
  </section>`;
}

function Upkeep({ rebuild, onChange }) {
  const id = useId();
  const [level, setLevel] = useState("DEBUG");
  const start = async () => {
    const sure = await confirm({ title: "Count all usage again?", confirmLabel: "Rebuild usage",
      text: "The numbers of all users are counted from the change log in the background. The tables of usage grow to twice their size meanwhile." });
    if (sure) call("OpsService", "RebuildAnalytics", {})
      .then(() => { announce("The rebuild of usage has begun"); onChange(); }, fail);
  };
  const log = () => call("OpsService", "SetLogLevel",
    { level: `LOG_LEVEL_${level === "SETTINGS" ? "UNSPECIFIED" : level}` }).then((answer) => toast({
    text: answer.until ? `This replica logs ${level.toLowerCase()} and above for an hour.`
      : "This replica logs as its settings say." }), fail);
  return html`<section class="v-card" aria-labelledby=${id}>
    <h2 id=${id}>Upkeep</h2>
    <div class="v-columns">
      <div><h3>Usage</h3><p class="v-hint">${rebuildWords(rebuild)}</p>
        <button type="button" class="button" disabled=${rebuild?.running} onClick=${start}>Rebuild usage</button></div>
      <div><h3>Log of the replica that answers</h3>
        <div class="v-row"><label class="visually-hidden" for=${`${id}-level`}>Level of the log</label>
          <select id=${`${id}-level`} value=${level} onChange=${(event) => setLevel(event.currentTarget.value)}>
            ${["DEBUG", "INFO", "WARNING", "ERROR"]
              .map((each) => html`<option key=${each} value=${each}>${each.toLowerCase()} for an hour</option>`)}
            <option value="SETTINGS">as the settings say</option></select>
          <button type="button" class="button" onClick=${log}>Set</button></div></div>
    </div>
  </section>`;
}

function rebuildWords(rebuild) {
  if (!rebuild?.startedAt) return "Usage was never counted again.";
  const changes = numberText(count(rebuild.countedChanges));
  if (rebuild.running) return `A rebuild runs since ${relativeTime(rebuild.startedAt)}: ${changes} changes so far.`;
  return `The last rebuild finished ${relativeTime(rebuild.finishedAt
    || rebuild.startedAt)}: ${changes} changes, ${numberText(count(rebuild.addedEvents))} of them new.`;
}
