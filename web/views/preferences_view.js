// Preferences: dates and times, reminders and their channels, webhooks, and what belongs to this device only. A change is
// saved at once.
import { html, useEffect, useState } from "/lib/preact.js";
import { call } from "../core/api.js";
import { announce } from "../core/announce.js";
import { preferences, usePreferences } from "../core/preferences.js";
import { useStore } from "../core/store.js";
import { toast } from "../ui/toast.js";
import { ErrorState, Loading, StaleStrip, Switch, explain, useId, useLoad } from "./parts.js";
import { Channels } from "./channels.js";
import { Webhooks } from "./webhooks.js";

const service = "NotificationService";

/** The stored preferences and a function that changes some of them: `change({fields, mask})`. */
function useStored() {
  const load = useLoad((signal) => call(service, "GetPreferences", {}, { signal, get: true }), []);
  const [saving, setSaving] = useState(0);
  const change = async (fields, mask) => {
    const before = load.data;
    load.setData((was) => merge(was, fields, mask));
    setSaving((was) => was + 1);
    try {
      const stored = await call(service, "UpdatePreferences", { preferences: fields, updateMask: mask });
      load.setData(() => stored);
      preferences.reload();
      announce("Saved");
    } catch (error) {
      load.setData(() => before);
      const { title, advice } = explain(error);
      toast({ text: `Not saved. ${title}. ${advice}` });
    } finally {
      setSaving((was) => was - 1);
    }
  };
  return { ...load, change, saving: saving > 0 };
}

function merge(was, fields, mask) {
  const next = { ...was, ...fields, wording: { ...was.wording, ...fields.wording } };
  if (mask === "quietHours" && !fields.quietHours) delete next.quietHours;
  return next;
}

export function PreferencesView() {
  const stored = useStored();
  const channels = useLoad((signal) => call(service, "GetChannels", {}, { signal, get: true }), []);
  const online = useStore((state) => state.online);
  useEffect(() => {
    const target = location.hash && stored.data && document.getElementById(location.hash.slice(1));
    if (target) target.scrollIntoView();
  }, [Boolean(stored.data)]);
  const off = !online;
  return html`<div class="v-view v-narrow v-preferences">
    <header class="v-head"><h1>Preferences</h1>
      <p class="v-hint" role="status">
        ${stored.saving ? "Saving …" : off ? "Offline: your account can be changed when the network is back"
          : "Changes are saved at once"}</p></header>
    <${Device} />
    ${!stored.data ? (stored.error ? html`<${ErrorState} error=${stored.error} retry=${stored.reload} />`
      : html`<${Loading} label="Loading preferences" lines=${8} />`)
      : html`<${StaleStrip} error=${stored.error} retry=${stored.reload} />
        <fieldset class="v-plain" disabled=${off}>
          <${Dates} values=${stored.data} change=${stored.change} />
          <${Words} values=${stored.data} change=${stored.change} />
          <${Section} id="notifications" title="Reminders reach you by">
            ${channels.data ? html`<${Channels} values=${stored.data} change=${stored.change} channels=${channels.data}
              onChannels=${(next) => channels.setData(() => next)} />`
              : channels.error ? html`<${ErrorState} error=${channels.error} retry=${channels.reload} />`
                : html`<${Loading} lines=${3} />`}
          <//>
          <${Quiet} values=${stored.data} change=${stored.change} />
          <${Section} id="webhooks" title="Webhooks">
            ${channels.data && html`<${Webhooks} available=${channels.data.webhookAvailable} />`}<//>
        </fieldset>`}
  </div>`;
}

function Section({ id, title, note, children }) {
  return html`<section class="v-card" id=${id} aria-labelledby=${`${id}-title`}><h2 id=${`${id}-title`}>${title}</h2>
    ${note && html`<p class="v-hint">${note}</p>`}${children}</section>`;
}

/** A row with a label and a control. */
function Row({ id, label, hint, children }) {
  return html`<div class="v-setting">
    <div><label for=${id}>${label}</label>${hint && html`<p class="v-hint" id=${`${id}-hint`}>${hint}</p>`}</div>
      <div class="v-setting-control">${children}</div></div>`;
}

function Choice({ id, label, hint, value, options, onChange }) {
  return html`<${Row} id=${id} label=${label} hint=${hint}>
    <select id=${id} value=${value} aria-describedby=${hint ? `${id}-hint` : null}
      onChange=${(event) => onChange(event.currentTarget.value)}>
    ${options.map(([key, text]) => html`<option key=${key} value=${key} selected=${key === value}>${text}</option>`)}
      </select><//>`;
}

/** What this browser keeps by itself. */
function Device() {
  const wishes = usePreferences();
  return html`<${Section} id="device" title="This device" note="Kept in this browser only.">
    <${Choice} id="theme" label="Theme" value=${wishes.theme}
      options=${[["system", "Like the system"], ["light", "Light"], ["dark", "Dark"]]}
        onChange=${(theme) => preferences.setDevice({ theme })} />
    <${Switch} id="single-keys" label="Shortcuts of a single key"
      hint="“q” adds a task, “e” completes it; “?” shows all. Switch them off if you dictate or use a switch device."
      checked=${wishes.singleKeys !== false} onChange=${(singleKeys) => preferences.setDevice({ singleKeys })} />
  <//>`;
}

const zones = () => (Intl.supportedValuesOf ? Intl.supportedValuesOf("timeZone") : []);

function zoneGroups(present) {
  const all = new Set(["UTC", ...zones()]);
  if (present) all.add(present);
  const groups = new Map();
  for (const zone of [...all].sort()) {
    const region = zone.includes("/") ? zone.slice(0, zone.indexOf("/")) : "General";
    if (!groups.has(region)) groups.set(region, []);
    groups.get(region).push(zone);
  }
  return [...groups];
}

export function ZoneSelect({ id, value, onChange, none }) {
  return html`<select id=${id} onChange=${(event) => onChange(event.currentTarget.value)}>
    ${none && html`<option value="" selected=${!value}>${none}</option>`}
    ${zoneGroups(value).map(([region, names]) => html`<optgroup key=${region} label=${region}>${names.map((zone) =>
      html`<option key=${zone} value=${zone} selected=${zone === value}>
        ${zone.replace(/^[^/]*\//, "").replaceAll("_", " ").replaceAll("/", ", ")}</option>`)}</optgroup>`)}
  </select>`;
}

function Dates({ values, change }) {
  const here = Intl.DateTimeFormat().resolvedOptions().timeZone;
  const zone = values.timeZone || "UTC";
  const setWording = (name, value) => change({ wording: { [name]: value } }, `wording.${name}`);
  const own = usePreferences();
  const clock = values.wording?.hour12 ?? (own.hour12 ? null : false); // null: nothing is chosen, and lists have 12 hours
  const setClock = (hour12) => {
    preferences.setDevice({ hour12 });
    setWording("hour12", hour12);
  };
  return html`<${Section} id="dates" title="Dates and times">
    <${Row} id="zone" label="Time zone" hint="Of new tasks, of days, and of times in messages.">
      <${ZoneSelect} id="zone" value=${zone} onChange=${(timeZone) => change({ timeZone }, "timeZone")} />
      ${here && here !== zone && html`<button type="button" class="button small"
        onClick=${() => change({ timeZone: here }, "timeZone")}>Use ${here.replaceAll("_",
          " ")}, as this device</button>`}<//>
    <${Choice} id="week-start" label="First day of the week" value=${values.wording?.weekStart || "WEEKDAY_MONDAY"}
      options=${[["WEEKDAY_MONDAY", "Monday"], ["WEEKDAY_SATURDAY", "Saturday"], ["WEEKDAY_SUNDAY", "Sunday"]]}
        onChange=${(value) => setWording("weekStart", value)} />
    <${Choice} id="date-order" label="“1/2” means" value=${values.wording?.dateOrder || "DATE_ORDER_DAY_FIRST"}
      options=${[["DATE_ORDER_DAY_FIRST", "1 February (day first)"],
        ["DATE_ORDER_MONTH_FIRST", "January 2 (month first)"]]} onChange=${(value) => setWording("dateOrder", value)} />
    <${Choice} id="clock" label="Clock" value=${clock === null ? "" : clock ? "12" : "24"}
      options=${[...(clock === null ? [["", "Lists 6:30 pm, chat 18:30"]] : []), ["24", "24 hours: 18:30"],
        ["12", "12 hours: 6:30 pm"]]} onChange=${(value) => setClock(value === "12")} />
  <//>`;
}

const languages = ["english", "simple", "arabic", "armenian", "basque", "catalan", "danish", "dutch", "finnish",
  "french", "german", "greek", "hindi",
  "hungarian", "indonesian", "irish", "italian", "lithuanian", "nepali", "norwegian", "portuguese", "romanian",
    "russian", "serbian", "spanish",
  "swedish", "tamil", "turkish", "yiddish"];
const languageName = (name) => (name === "simple" ? "No language" : name.charAt(0).toUpperCase() + name.slice(1));
const dayTimes = [["morning", "Morning", "09:00"], ["afternoon", "Afternoon", "15:00"],
  ["evening", "Evening", "19:00"], ["night", "Tonight", "20:00"]];

function Words({ values, change }) {
  const setWording = (name, value) => change({ wording: { [name]: value } }, `wording.${name}`);
  return html`<${Section} id="words" title="Words" note="How quick add and chat read what you write.">
    <${Choice} id="language" label="Language of your titles" hint="“Buying” then finds “buy”."
      value=${values.wording?.language || "english"}
      options=${languages.map((name) => [name, languageName(name)])}
        onChange=${(value) => setWording("language", value)} />
    <div class="v-times">${dayTimes
      .map(([name, label, usual]) => html`<div key=${name}><label for=${`time-${name}`}>${label}</label>
      <input id=${`time-${name}`} type="time" value=${values.wording?.[name] || usual}
        onChange=${(event) => event.currentTarget.value && setWording(name, event.currentTarget.value)} />
          </div>`)}</div>
  <//>`;
}

function Quiet({ values, change }) {
  const id = useId();
  const quiet = values.quietHours;
  const set = (fields) => change({ quietHours: { ...quiet, ...fields } }, "quietHours");
  return html`<${Section} id="quiet" title="Quiet hours">
    <${Switch} id=${`${id}-on`} label="Quiet hours"
      hint="E-mail and push wait until they are over, and come together. The list and webhooks do not wait."
        checked=${Boolean(quiet)}
      onChange=${(on) => (on ? change({ quietHours: { start: "22:00",
        end: "07:00" } }, "quietHours") : change({}, "quietHours"))} />
    ${quiet && html`<div class="v-times">
      <div><label for=${`${id}-start`}>From</label>
        <input id=${`${id}-start`} type="time" value=${quiet.start || "22:00"}
          onChange=${(event) => event.currentTarget.value && set({ start: event.currentTarget.value })} /></div>
      <div><label for=${`${id}-end`}>To</label>
        <input id=${`${id}-end`} type="time" value=${quiet.end || "07:00"}
          onChange=${(event) => event.currentTarget.value && set({ end: event.currentTarget.value })} /></div>
      <div><label for=${`${id}-zone`}>Zone</label>
        <${ZoneSelect} id=${`${id}-zone`} value=${quiet.timeZone || ""} none="As above"
          onChange=${(timeZone) => set({ timeZone })} /></div>
    </div>`}
  <//>`;
}
