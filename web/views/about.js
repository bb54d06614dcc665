// About: the version, the licences of the two libraries, and links.
import { html, useEffect, useState } from "/lib/preact.js";
import { settings } from "../core/session.js";
import { openHelp } from "../ui/later.js";
import { ErrorState, Loading, useLoad } from "./parts.js";

const libraries = [
  { name: "htm and Preact", use: "draws this page" },
  { name: "uPlot", use: "draws the charts of Usage" },
];

async function fetchLicences(signal) {
  const answer = await fetch("/lib/licences.txt", { signal }).catch((error) => {
    throw signal.aborted ? error : Object.assign(error, { code: "offline" });
  });
  if (!answer.ok) throw new Error("The licences could not be loaded.");
  return answer.text();
}

export function AboutView() {
  const licences = useLoad(fetchLicences, []);
  return html`<div class="v-view v-narrow v-about">
    <h1>About</h1>
    <section class="v-card">
      <h2>todo-service</h2>
      <p>Tasks with due dates, repetition and reminders. Every change that was accepted is kept, and every screen of yours
        shows it at once.</p>
      <dl class="v-facts">
        <div><dt>Version</dt><dd>${settings()?.version || "unknown"}</dd></div>
        <div><dt>This page</dt><dd><${Installed} /></dd></div>
      </dl>
      <ul class="v-links">
        <li><a href="/preferences">Preferences</a>: your zone, reminders, theme, keys</li>
        <li><a href="/usage">Usage</a>: charts of what you created and completed</li>
        <li><button type="button" class="v-as-link"
          onClick=${openHelp}>Keyboard shortcuts</button>: everything without a
          mouse</li>
        <li><a href="/notifications">Notifications</a>: every reminder of the last 90 days</li>
      </ul>
    </section>
    <section class="v-card">
      <h2>Licences</h2>
      <ul class="v-links">${libraries
        .map((each) => html`<li key=${each.name}><b>${each.name}</b>: ${each.use}</li>`)}</ul>
      ${licences.data ? html`<pre class="v-licences" tabindex="0" aria-label="Licences of the libraries">
        ${licences.data}</pre>`
        : licences.error ? html`<${ErrorState} error=${licences.error} retry=${licences.reload} />`
          : html`<${Loading} label="Loading the licences" lines=${3} />`}
    </section>
  </div>`;
}

/** Whether the page runs in a window of its own, and whether it works offline. */
function Installed() {
  const [worker, setWorker] = useState(false);
  useEffect(() => {
    navigator.serviceWorker?.getRegistration()
      .then((registration) => setWorker(Boolean(registration?.active)), () => {});
  }, []);
  const own = matchMedia("(display-mode: standalone)").matches;
  return `${own ? "installed" : "in a browser"}${worker ? ", works offline" : ""}`;
}
