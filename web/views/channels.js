// The channels of reminders: the list in the page, Web Push to browsers, e-mail, webhooks.
import { html, useState } from "/lib/preact.js";
import { call } from "../core/api.js";
import { announce } from "../core/announce.js";
import { toast } from "../ui/toast.js";
import { Field, Switch, explain, relativeTime, useId, useLoad } from "./parts.js";
import { listSubscriptions, pushObstacle, switchPushOff, switchPushOn } from "./push.js";

/** `values` and `change`: the preferences; `channels`: the answer of GetChannels, replaced by `onChannels`. */
export function Channels({ values, change, channels, onChannels }) {
  const set = (name) => (on) => change({ [name]: on }, name);
  return html`<${Switch} id="in-app" label="The list in this page" hint="The bell, on every device."
    checked=${values.inApp !== false && Boolean(values.inApp)} onChange=${set("inApp")} />
    ${channels.pushAvailable ? html`<${Switch} id="push" label="Push" hint="Messages of your browser, even when this page is closed."
        checked=${Boolean(values.push)} onChange=${set("push")} />
      ${values.push && html`<${Browsers} channels=${channels} />`}` : html`<${Missing} label="Push" />`}
    ${channels.emailAvailable ? html`<${Switch} id="email" label="E-mail" checked=${Boolean(values.email)} onChange=${set("email")} />
      ${values.email && html`<${Address} channels=${channels} onChannels=${onChannels} />`}` : html`<${Missing} label="E-mail" />`}
    ${channels.webhookAvailable ? html`<${Switch} id="webhook" label="Webhooks"
        hint=${html`Calls to other programs, <a href="#webhooks">below</a>.`} checked=${Boolean(values.webhook)}
        onChange=${set("webhook")} />` : html`<${Missing} label="Webhooks" />`}`;
}

/** A channel without a switch, since the server cannot use it. */
function Missing({ label }) {
  return html`<div class="v-switch missing"><span class="v-switch-none" aria-hidden="true">–</span>
    <div>${label}<p class="v-hint">Not set up by the operator.</p></div></div>`;
}

/** The browsers that get pushes, and the switch of this one. */
function Browsers({ channels }) {
  const list = useLoad(listSubscriptions, []);
  const [busy, setBusy] = useState(false);
  const [error, setError] = useState("");
  const obstacle = pushObstacle(channels);
  const rows = list.data || [];
  const here = rows.find((each) => each.here);
  const run = async (work, done) => {
    setBusy(true);
    setError("");
    try {
      await work();
      announce(done);
    } catch (failure) {
      setError(failure.code ? explain(failure).advice : failure.message);
    }
    setBusy(false);
    list.reload();
  };
  const remove = (each) => run(() => switchPushOff(each), "The browser gets no more pushes");
  return html`<div class="v-inset">
    ${here ? html`<p><span class="v-pill good">on</span> This browser gets pushes.</p>
      <button type="button" class="button small" disabled=${busy}
        onClick=${() => remove(here)}>Switch off here</button>`
      : obstacle ? html`<p class="v-hint">${obstacle}</p>`
      : html`<button type="button" class="button" disabled=${busy}
        onClick=${() => run(() => switchPushOn(channels.pushPublicKey), "This browser gets pushes now")}>
          ${busy ? "Waiting for the browser …" : "Switch on in this browser"}</button>`}
    ${error && html`<p class="v-error" role="alert">${error}</p>`}
    ${rows.some((each) => !each.here)
      && html`<ul class="v-browsers" aria-label="Other browsers">
        ${rows.filter((each) => !each.here).map((each) => html`<li key=${each.id}>
      <span><bdi>${hostOf(each.endpoint)}</bdi> <small>since ${relativeTime(each.createdAt)}</small></span>
      <button type="button" class="button small" disabled=${busy}
        onClick=${() => remove(each)}>Remove<span
          class="visually-hidden"> the browser of ${relativeTime(each.createdAt)}</span></button></li>`)}</ul>`}
  </div>`;
}

/** The name of a push service tells the browser's maker: "fcm.googleapis.com" is Chrome. */
function hostOf(endpoint) {
  const host = new URL(endpoint).host;
  if (host.endsWith("googleapis.com")) return "A Chrome or Edge browser";
  if (host.endsWith("mozilla.com")) return "A Firefox browser";
  if (host.endsWith("apple.com")) return "A Safari browser";
  return host;
}

function Address({ channels, onChannels }) {
  const id = useId();
  const [address, setAddress] = useState(channels.emailAddress || "");
  const [error, setError] = useState("");
  const stored = channels.emailAddress || "";
  const save = async (next) => {
    if (next && !/^[^\s@]+@[^\s@]+$/.test(next)) return setError("Give an address like ada@example.org.");
    try {
      const answer = await call("NotificationService", "SetEmailAddress", { emailAddress: next });
      onChannels(answer);
      setAddress(answer.emailAddress || "");
      toast({ text: next ? `Reminders go to ${next}` : "No more reminders by e-mail" });
    } catch (failure) {
      setError(explain(failure).advice);
    }
    return undefined;
  };
  return html`<form class="v-inset" noValidate onSubmit=${(event) => { event.preventDefault(); save(address.trim()); }}>
    <${Field} id=${id} label="Address" error=${error} hint="The address is not verified: look twice.">
      <input id=${id} type="email" autocomplete="email" value=${address} placeholder="ada@example.org"
        aria-invalid=${error ? "true" : null}
        aria-describedby=${`${id}-hint${error ? ` ${id}-error` : ""}`}
          onInput=${(event) => { setAddress(event.currentTarget.value); setError(""); }} /><//>
    <div class="v-row"><button type="submit" class="button" disabled=${address.trim() === stored}>Save</button>
      ${stored && html`<button type="button" class="button" onClick=${() => save("")}>Remove</button>`}</div>
  </form>`;
}
