// Sign-in with an OpenID provider: authorization code with PKCE, by redirect. Tokens live in memory. A new tab asks the
// other tabs for theirs, so only the first one goes to the provider; a lock makes one tab at a time use the refresh token,
// which is good for one use only.
import { exclusively, sessionTexts } from "./browser.js";

const flowKey = "todo.sign-in"; // of sessionStorage: state, verifier and where to return; no token
const earliestMs = 60000; // before its end a token is renewed; a third of its life, if that is shorter

const base64url = (bytes) => btoa(String.fromCharCode(...bytes)).replaceAll("+", "-").replaceAll("/", "_").replace(/=+$/, "");
const randomText = () => base64url(crypto.getRandomValues(new Uint8Array(32)));

function claimsOf(jwt) {
  try {
    const bytes = Uint8Array.from(atob(jwt.split(".")[1].replaceAll("-", "+").replaceAll("_", "/")), (each) => each.charCodeAt(0));
    return JSON.parse(new TextDecoder().decode(bytes));
  } catch {
    return {};
  }
}

const userOf = ({ access, id }) => claimsOf(access).sub || claimsOf(id).sub || "";

export class OidcClient {
  /** `parameters`: what this issuer wants besides, such as the audience of the token. */
  constructor({ issuer, clientId, scopes, parameters = {} }, onToken) {
    Object.assign(this, { issuer, clientId, scopes: scopes || "openid", parameters, onToken, tokens: null, user: "", leaving: false, renewing: null });
    this.tabs = new BroadcastChannel(`todo.tokens.${issuer}`);
    this.tabs.onmessage = ({ data }) => this.#hear(data);
  }

  /** At the start of the page: {user, name} when signed in. `again`: the browser knows a user, so the provider is asked. */
  async begin(again) {
    if (location.pathname === "/signed-in") return this.#comeBack();
    await this.#askTabs();
    if (this.tokens) return this.#identity();
    // Once in a tab: a provider that sends the browser back without a session must not make a loop.
    if (again && navigator.onLine && !sessionTexts.get("todo.tried")) {
      sessionTexts.set("todo.tried", "1");
      await this.leave({ known: true });
    }
    return null;
  }

  /** Goes to the provider's sign-in. `known`: the user was signed in a moment ago and shall see no question. */
  async leave({ known = false } = {}) {
    if (!sessionTexts.lasts) throw new Error("This browser keeps no data for this page, which the sign-in needs. Allow site data, then try again.");
    const { authorization_endpoint: endpoint } = await this.#provider();
    const flow = { state: randomText(), nonce: randomText(), verifier: randomText(),
      path: location.pathname === "/signed-in" ? "/" : location.pathname + location.search };
    sessionTexts.set(flowKey, JSON.stringify(flow));
    const hash = new Uint8Array(await crypto.subtle.digest("SHA-256", new TextEncoder().encode(flow.verifier)));
    const url = new URL(endpoint);
    const fields = { ...this.parameters, response_type: "code", client_id: this.clientId, redirect_uri: `${location.origin}/signed-in`,
      scope: this.scopes, state: flow.state, nonce: flow.nonce, code_challenge: base64url(hash), code_challenge_method: "S256" };
    if (!known && /\boffline_access\b/.test(this.scopes)) fields.prompt = "consent";
    for (const [name, value] of Object.entries(fields)) url.searchParams.set(name, value);
    this.leaving = true;
    location.assign(url);
  }

  /** The access token, renewed when it is about to expire; null when the user has to sign in. */
  async token() {
    if (this.tokens && this.tokens.expiresAt - this.tokens.early / 2 > Date.now()) return this.tokens.access;
    return this.renew(false);
  }

  /** A newer access token, or null. `refused`: the server does not take the present one, whatever its time says. */
  async renew(refused) {
    this.renewing ||= this.#renewLocked(refused).finally(() => { this.renewing = null; });
    return this.renewing;
  }

  forget() {
    clearTimeout(this.timer);
    this.tokens = null;
  }

  /** Ends the session at the provider, which sends the browser back to "/". False: the page stays. */
  async end() {
    const hint = this.tokens?.id;
    this.forget();
    sessionTexts.set("todo.tried", "1");
    try {
      const { end_session_endpoint: endpoint } = await this.#provider();
      if (!endpoint) return false;
      const url = new URL(endpoint);
      if (hint) url.searchParams.set("id_token_hint", hint);
      url.searchParams.set("client_id", this.clientId);
      url.searchParams.set("post_logout_redirect_uri", `${location.origin}/`);
      location.assign(url);
      return true;
    } catch {
      // Offline: the session at the provider stays, but nothing of it is kept here.
      return false;
    }
  }

  async #comeBack() {
    const answer = new URLSearchParams(location.search);
    const flow = sessionTexts.read(flowKey);
    sessionTexts.remove(flowKey);
    history.replaceState(null, "", flow?.path || "/");
    dispatchEvent(new PopStateEvent("popstate")); // the router has read the address before
    if (!flow || answer.get("state") !== flow.state) return null;
    if (answer.get("iss") && answer.get("iss") !== this.issuer) throw new Error("The answer came from another provider. Sign in again.");
    if (answer.get("error")) {
      throw new Error(`The provider refused the sign-in: ${answer.get("error_description") || answer.get("error")}`);
    }
    await this.#take(await this.#ask({ grant_type: "authorization_code", code: answer.get("code"),
      redirect_uri: `${location.origin}/signed-in`, code_verifier: flow.verifier }), flow.nonce);
    sessionTexts.remove("todo.tried");
    return this.#identity();
  }

  async #renewLocked(refused) {
    const before = this.tokens;
    if (!before?.refresh) return null;
    return exclusively(`todo.refresh.${this.issuer}`, async () => {
      if (!this.tokens) return null;
      if (this.tokens.access !== before.access) return this.tokens.access; // another tab was quicker
      if (!refused && this.tokens.expiresAt - this.tokens.early > Date.now()) return this.tokens.access;
      try {
        await this.#take(await this.#ask({ grant_type: "refresh_token", refresh_token: before.refresh }));
        return this.tokens.access;
      } catch (error) {
        if (error.final) this.forget();
        else this.#plan(Math.min(15000, before.early / 2));
        return !error.final && !refused && before.expiresAt > Date.now() ? before.access : null;
      }
    });
  }

  async #take(answer, nonce) {
    if (nonce && answer.id_token && claimsOf(answer.id_token).nonce !== nonce) throw new Error("The answer is not for this sign-in. Sign in again.");
    const lifetime = (Number(answer.expires_in) || 300) * 1000;
    this.tokens = { access: answer.access_token, early: Math.min(earliestMs, lifetime / 3), refresh: answer.refresh_token || this.tokens?.refresh || "",
      id: answer.id_token || this.tokens?.id || "", expiresAt: Date.now() + lifetime };
    this.tabs.postMessage({ type: "tokens", tokens: this.tokens });
    this.#useTokens();
  }

  #useTokens() {
    this.onToken(this.tokens.access);
    if (this.tokens.refresh) this.#plan(Math.max(1000, this.tokens.expiresAt - Date.now() - this.tokens.early));
  }

  #plan(delay) {
    clearTimeout(this.timer);
    this.timer = setTimeout(() => this.#renewSoon(), Math.min(delay, 2 ** 31 - 1));
  }

  async #renewSoon() {
    const access = this.tokens?.access;
    if (!access) return;
    await (this.renewing ||= this.#renewLocked(true).finally(() => { this.renewing = null; }));
  }

  #identity() {
    const access = claimsOf(this.tokens.access);
    const id = claimsOf(this.tokens.id);
    const user = userOf(this.tokens);
    return { claims: access, user, name: id.name || id.preferred_username || id.email || access.name || user };
  }

  #hear(message) {
    if (message.type === "ask" && this.tokens) this.tabs.postMessage({ type: "tokens", tokens: this.tokens });
    if (message.type !== "tokens" || !message.tokens) return;
    // What this tab shows and sends is of one user, also while it has no token of theirs.
    const mine = this.user || (this.tokens && userOf(this.tokens));
    if (mine && userOf(message.tokens) !== mine) return;
    if (this.tokens && message.tokens.expiresAt <= this.tokens.expiresAt) return;
    this.tokens = message.tokens;
    this.heard?.();
    this.#useTokens();
  }

  #askTabs() {
    return new Promise((resolve) => {
      this.heard = resolve;
      this.tabs.postMessage({ type: "ask" });
      setTimeout(resolve, 150);
    });
  }

  async #provider() {
    if (this.found) return this.found;
    let answer;
    try {
      answer = await fetch(`${this.issuer.replace(/\/$/, "")}/.well-known/openid-configuration`, { credentials: "omit" });
    } catch {
      throw new Error("The sign-in provider cannot be reached. Try again in a moment.");
    }
    if (!answer.ok) throw new Error(`The sign-in provider answered ${answer.status}. Tell the operator of this service.`);
    const found = await answer.json();
    if (found.issuer !== this.issuer) throw new Error("The sign-in provider names another issuer. Tell the operator of this service.");
    this.found = found;
    return found;
  }

  /** The one further parameter that also belongs to requests of tokens (RFC 8707). */
  #resource() {
    const { resource } = this.parameters;
    return resource ? { resource } : {};
  }

  async #ask(fields) {
    const { token_endpoint: endpoint } = await this.#provider();
    const answer = await fetch(endpoint, { method: "POST", credentials: "omit",
      headers: { "content-type": "application/x-www-form-urlencoded" },
      body: new URLSearchParams({ ...this.#resource(), client_id: this.clientId, ...fields }) });
    const body = await answer.json().catch(() => ({}));
    if (answer.ok && body.access_token) return body;
    const error = new Error(`The provider gave no token: ${body.error_description || body.error || answer.status}`);
    error.final = answer.status >= 400 && answer.status < 500 && answer.status !== 429;
    throw error;
  }
}
