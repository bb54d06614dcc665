// Who uses the page. With --dev-identity a name is enough; with a provider the page signs in by OpenID Connect (oidc.js).
// The name of the last user is kept in localStorage, so that the copy of the tasks can be shown without a network; tokens
// are kept in memory only.
import { localTexts } from "./browser.js";
import { deleteCopy } from "./db.js";
import { forgetTexts } from "./drafts.js";

const userKey = "todo.user";
const listeners = new Set();
let loaded = null;
let oidc = null;
let state = { status: "loading", user: null, name: "", operator: false, mode: "dev", expired: false, error: "" };

function set(fields) {
  state = { ...state, ...fields };
  listeners.forEach((listen) => listen(state));
}

const remembered = () => localTexts.read(userKey);

function remember(user) {
  if (user) localTexts.set(userKey, JSON.stringify(user));
  else localTexts.remove(userKey);
}

/** What /settings.json says; null before it was read. */
export const settings = () => loaded;

export const session = {
  /** {status: "loading|signed-out|signed-in", user, name, operator, mode: "dev|oidc|token", expired, error} */
  get state() { return state; },
  /** A text that differs between users of this origin; it names their copies and channels. */
  get key() { return state.user === null ? "" : `${state.mode}.${loaded?.issuer || ""}.${state.user}`; },
  subscribe(listen) {
    listeners.add(listen);
    return () => listeners.delete(listen);
  },
  /** The headers that name the user. */
  async headers() {
    if (state.mode === "oidc") return { authorization: `Bearer ${await token()}` };
    return state.user === null ? {} : { "x-user-id": state.user, ...(state.operator ? { "x-user-role": "operator" } : {}) };
  },
  /** The members of the feed's hello that name the user. */
  async hello() {
    return state.mode === "oidc" ? { token: await token() } : { user_id: state.user };
  },
  /** After a refused token: true when there is a newer one. */
  async renewed() {
    if (state.mode !== "oidc" || !oidc) return false;
    const fresh = await oidc.renew(true);
    if (!fresh) set({ expired: true });
    return Boolean(fresh);
  },
  /** Calls `listen(token)` when the token was renewed. */
  onToken(listen) { tokenListeners.add(listen); return () => tokenListeners.delete(listen); },
  /** The server answered a call that is for operators only. */
  isOperator() {
    if (state.operator || state.user === null) return;
    remember({ ...remembered(), operator: true });
    set({ operator: true });
  },
  signIn, signOut, start,
};

const tokenListeners = new Set();

async function token() {
  const known = oidc && await oidc.token();
  if (known) return known;
  if (!state.expired) set({ expired: true });
  return "";
}

async function readSettings() {
  try {
    const answer = await fetch("/settings.json", { cache: "no-cache", credentials: "omit" });
    if (!answer.ok) throw new Error(String(answer.status));
    const settingsRead = await answer.json();
    localTexts.set("todo.settings", JSON.stringify(settingsRead));
    return settingsRead;
  } catch {
    return localTexts.read("todo.settings");
  }
}

async function start() {
  loaded = await readSettings();
  if (!loaded) return set({ status: "signed-out", error: "The server cannot be reached. Check the connection, then load the page again." });
  const mode = { development: "dev", oidc: "oidc" }[loaded.identity] || "token";
  const last = remembered();
  const known = last?.mode === mode && (last.issuer || "") === (loaded.issuer || "") ? last : null;
  set({ mode });
  followOtherTabs();
  if (mode === "oidc") return startOidc(known);
  if (mode === "dev" && known) return set({ status: "signed-in", user: known.user, name: known.user, operator: Boolean(known.operator) });
  return set({ status: "signed-out" });
}

async function startOidc(known) {
  try {
    const { OidcClient } = await import("./oidc.js");
    oidc = new OidcClient(loaded, tokenCame);
    const identity = await oidc.begin(Boolean(known));
    if (identity) return signedIn(identity);
    if (oidc.leaving) return undefined;
  } catch (error) {
    if (!known) return set({ status: "signed-out", error: error.message });
  }
  // The copy stays readable without a token; the banner asks to sign in again.
  if (known && oidc) oidc.user = known.user;
  if (known) return set({ status: "signed-in", user: known.user, name: known.name, operator: Boolean(known.operator), expired: true });
  return set({ status: "signed-out" });
}

function tokenCame(fresh) {
  if (state.expired) set({ expired: false }); // another tab has signed in again
  tokenListeners.forEach((listen) => listen(fresh));
}

function signedIn({ user, name, operator }) {
  oidc.user = user;
  const known = remembered();
  const was = known?.user === user && known.operator;
  remember({ mode: "oidc", issuer: loaded.issuer, user, name, operator: operator || Boolean(was) });
  set({ status: "signed-in", user, name, operator: operator || Boolean(was), expired: false, error: "" });
}

/** Signs in: with `name` in development, else by leaving for the provider. */
async function signIn(name, { operator = false } = {}) {
  if (state.mode === "oidc") {
    try {
      await oidc.leave();
    } catch (error) {
      set({ error: error.message });
    }
    return;
  }
  const user = String(name || "").trim();
  if (!user || state.mode !== "dev") return;
  remember({ mode: "dev", issuer: "", user, operator });
  set({ status: "signed-in", user, name: user, operator, error: "" });
}

/** Signs out here and in the other tabs, and deletes the user's copy. With a provider, its session ends too. */
async function signOut() {
  const key = session.key;
  const provider = state.mode === "oidc";
  remember(null);
  // The button to sign in must not appear for the moment before the browser leaves for the provider.
  set({ status: provider ? "loading" : "signed-out", user: null, name: "", operator: false, expired: false });
  tabs?.postMessage({ type: "signed-out" });
  forgetTexts(key);
  await Promise.race([Promise.allSettled([deleteCopy(key), endPush()]), new Promise((resolve) => setTimeout(resolve, 2000))]);
  if (provider && !(await oidc.end())) set({ status: "signed-out" });
}

/** Reminders of the user who leaves are not for the next one at this browser: neither those to come nor those still shown. */
async function endPush() {
  const registration = await navigator.serviceWorker?.getRegistration();
  (await registration?.getNotifications?.())?.forEach((each) => each.close());
  await (await registration?.pushManager?.getSubscription())?.unsubscribe();
}

let tabs = null;

function followOtherTabs() {
  tabs = new BroadcastChannel("todo.session");
  tabs.onmessage = ({ data }) => {
    if (data.type !== "signed-out" || state.status !== "signed-in") return;
    oidc?.forget();
    forgetTexts(session.key);
    set({ status: "signed-out", user: null, name: "", operator: false, expired: false });
  };
  // Another tab signed in as somebody else: what this tab shows would be mixed up with the other user's queue.
  addEventListener("storage", (event) => {
    if (event.key === userKey && event.newValue && state.user !== null && remembered()?.user !== state.user) location.reload();
  });
}
