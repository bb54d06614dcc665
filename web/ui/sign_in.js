// What is shown before somebody is signed in.
import { html, useEffect, useRef, useState } from "/lib/preact.js";
import { session } from "../core/session.js";

export function Mark() {
  return html`<svg class="mark" viewBox="0 0 64 64" width="52" height="52" aria-hidden="true"><rect width="64" height="64" rx="15"
    fill="#3f5bd9" /><path d="M18.5 33.5l9.5 9.5L46 23.5" fill="none" stroke="#fff" stroke-width="6.5" stroke-linecap="round"
    stroke-linejoin="round" /></svg>`;
}

export function SignIn({ state }) {
  useEffect(() => { document.title = "Sign in · Tasks"; }, []);
  return html`<main class="welcome"><div class="welcome-card"><${Mark} />
    ${state.mode === "dev" && !(state.error && !state.user) ? html`<${ByName} />`
      : state.mode === "oidc" ? html`<${ByProvider} error=${state.error} />`
        : state.mode === "token" ? html`<${NotSetUp} />` : html`<${NoServer} error=${state.error} />`}
  </div></main>`;
}

function ByName() {
  const [name, setName] = useState("");
  const [operator, setOperator] = useState(false);
  const [missing, setMissing] = useState(false);
  const field = useRef(null);
  useEffect(() => field.current.focus(), []);
  const submit = (event) => {
    event.preventDefault();
    if (!name.trim()) return setMissing(true);
    return session.signIn(name, { operator });
  };
  return html`<h1>Your tasks</h1><p>Choose a name to start. This server runs for a first look, so it asks for no password.</p>
    <form onSubmit=${submit} noValidate>
      <label for="name">Your name</label>
      <input id="name" type="text" autocomplete="username" autocapitalize="none" spellcheck="false" maxlength="100" value=${name}
        aria-invalid=${missing} aria-describedby=${missing ? "name-error" : null} ref=${field}
        onInput=${(event) => {
          setName(event.currentTarget.value);
          setMissing(false);
        }} />
      ${missing && html`<p class="form-error" id="name-error" role="alert">Write a name first, for example “ada”.</p>`}
      <label class="check-line"><input type="checkbox" checked=${operator}
        onChange=${(event) => setOperator(event.currentTarget.checked)} /> As an operator of the service</label>
      <button class="button primary" type="submit">Start</button>
    </form>`;
}

function ByProvider({ error }) {
  const [leaving, setLeaving] = useState(false);
  useEffect(() => { if (error) setLeaving(false); }, [error]);
  return html`<h1>Your tasks</h1><p>Sign in to see them. You come back here afterwards.</p>
    ${error && html`<p class="form-error" role="alert">${error}</p>`}
    <button class="button primary" type="button" disabled=${leaving} data-autofocus onClick=${async () => {
      setLeaving(true);
      await session.signIn();
      setTimeout(() => setLeaving(false), 4000);
    }}>${leaving ? "One moment …" : "Sign in"}</button>`;
}

function NotSetUp() {
  return html`<h1>Sign-in is not set up</h1>
    <p>The service runs, but this page does not know where its users sign in. If you operate the service, start it with your
      OpenID provider and a client for this page: <code>--auth-issuer=https://id.example.org</code>${" "}
      <code>--oidc-client-id=todo-page</code>. For a first look on your own machine, <code>--dev-identity</code> is enough.</p>
    <button class="button primary" type="button" onClick=${() => location.reload()}>Try again</button>`;
}

function NoServer({ error }) {
  return html`<h1>No connection</h1><p role="alert">${error}</p>
    <button class="button primary" type="button" onClick=${() => location.reload()}>Try again</button>`;
}
