// Preferences: those of the account (zone, wording) from NotificationService, and those of this device from localStorage.
import { useEffect, useState } from "/lib/preact.js";
import { call } from "./api.js";
import { localTexts } from "./browser.js";
import { session } from "./session.js";

const deviceKey = "todo.device";
const accountKey = "todo.account"; // of the last user; not secret: a zone and formats
const listeners = new Set();
const browserZone = () => Intl.DateTimeFormat().resolvedOptions().timeZone || "UTC";
const defaults = () => ({ theme: "system", singleKeys: true, hour12: prefers12(), zone: browserZone(), timeZone: browserZone(),
  dateOrder: "day", weekStart: 1, account: null });

function prefers12() {
  return Boolean(new Intl.DateTimeFormat(undefined, { hour: "numeric" }).resolvedOptions().hour12);
}

const read = (key) => localTexts.read(key) || {};

let state = { ...defaults(), ...read(deviceKey) };

function set(fields) {
  state = { ...state, ...fields };
  showTheme();
  listeners.forEach((listen) => listen(state));
}

function showTheme() {
  const dark = state.theme === "dark" || (state.theme === "system" && matchMedia("(prefers-color-scheme: dark)").matches);
  document.documentElement.dataset.theme = dark ? "dark" : "light";
  const { name, content } = document.querySelector("meta[name=theme-color]") || {};
  if (name && content !== (dark ? "#16181d" : "#ffffff")) {
    document.querySelector("meta[name=theme-color]").content = dark ? "#16181d" : "#ffffff";
  }
}

function takeAccount(account) {
  const zone = account.timeZone || browserZone();
  const { dateOrder, weekStart, hour12 = state.hour12 } = account.wording || {};
  set({ account, hour12, zone, timeZone: zone, dateOrder: dateOrder === "DATE_ORDER_MONTH_FIRST" ? "month" : "day",
    weekStart: { WEEKDAY_SUNDAY: 0, WEEKDAY_SATURDAY: 6 }[weekStart] ?? 1 });
}

export const preferences = {
  get state() { return state; },
  subscribe(listen) {
    listeners.add(listen);
    return () => listeners.delete(listen);
  },
  /** Changes preferences of this device: {theme: "system|light|dark", hour12, singleKeys, …}. */
  setDevice(fields) {
    localTexts.set(deviceKey, JSON.stringify({ ...read(deviceKey), ...fields }));
    set(fields);
  },
  /** Reads those of the account. A user who never chose a zone gets the one of the browser, so that "at nine" means it. */
  async reload() {
    const user = session.key;
    if (!user) return;
    const known = read(accountKey);
    if (known.user === user) takeAccount(known.account);
    try {
      let account = await call("NotificationService", "GetPreferences");
      if (account.etag === "none" && browserZone() !== account.timeZone) {
        account = await call("NotificationService", "UpdatePreferences",
          { preferences: { timeZone: browserZone() }, updateMask: "timeZone" });
      }
      if (session.key !== user) return;
      localTexts.set(accountKey, JSON.stringify({ user, account }));
      takeAccount(account);
    } catch {
      // The page works with those that it knows, and reads them again at the next sign-in.
    }
  },
  forget() {
    localTexts.remove(accountKey);
    set({ ...defaults(), ...read(deviceKey) });
  },
};

export function usePreferences() {
  const [present, update] = useState(state);
  useEffect(() => {
    update(state);
    return preferences.subscribe(update);
  }, []);
  return present;
}

matchMedia("(prefers-color-scheme: dark)").addEventListener("change", showTheme);
addEventListener("storage", ({ key }) => {
  if (key !== deviceKey) return;
  set(read(deviceKey));
  if (state.account) takeAccount(state.account);
});
showTheme();
