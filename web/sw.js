// The service worker: it keeps the files of the page, so that the page opens without a network, and shows pushed
// reminders. Answers of the API are never kept.
//
// The files are kept as one set, found by following the imports from app.js. A page gets all its files from one set, also
// those that it loads hours later, so an old set stays as long as a window uses it. After each visit the newest set is
// compared with the server by ETag; when a file has changed, a new set is made, and the windows are told that a new version
// is ready.
import { onNotificationClick, onPush } from "./views/push_worker.js";

const prefix = "todo-page-";
const windowsName = "todo-windows"; // of the cache that remembers which window uses which set
const startMs = 60000; // a window that just begins is not listed yet
const complete = "/complete"; // an entry of a set that has all its files
const start = ["/index.html", "/app.js", "/manifest.webmanifest", "/style/base.css", "/style/components.css", "/style/tasks.css",
  "/style/views.css", "/lib/uplot.js", "/lib/uplot.css", "/icons/icon.svg", "/icons/icon-192.png", "/settings.json"];
const optional = new Set(["/settings.json", "/style/tasks.css", "/style/views.css", "/lib/uplot.js", "/lib/uplot.css"]);
let checking = null;

self.addEventListener("install", (event) => event.waitUntil(check().then(() => self.skipWaiting())));
self.addEventListener("activate", (event) => event.waitUntil(self.clients.claim()));
self.addEventListener("push", onPush);
self.addEventListener("notificationclick", onNotificationClick);

/** The name of the newest complete set, or "". */
async function newestName() {
  const names = (await caches.keys()).filter((name) => name.startsWith(prefix)).sort().reverse();
  for (const name of names) if (await (await caches.open(name)).match(complete)) return name;
  return "";
}

/** The newest complete set, or null. */
async function present() {
  const name = await newestName();
  return name ? caches.open(name) : null;
}

/** Fetches all files of the page: path -> answer. Fails when one cannot be had. */
async function fetchAll() {
  const files = new Map();
  const visit = async (path) => {
    if (files.has(path)) return;
    files.set(path, null);
    const answer = await fetch(path === "/index.html" ? "/" : path, { cache: "no-cache", credentials: "omit" });
    if (!answer.ok && optional.has(path)) return;
    if (!answer.ok) throw new Error(`${path}: ${answer.status}`);
    files.set(path, answer);
    if (path.endsWith(".js") && !path.startsWith("/lib/")) await Promise.all(importsOf(await answer.clone().text(), path).map(visit));
  };
  await Promise.all(start.map(visit));
  return files;
}

function importsOf(text, path) {
  const found = text.matchAll(/(?:\bfrom\s*|\bimport\s*\(?\s*)["']([./][^"'\n]*\.js)["']/g);
  return [...found].map(([, target]) => new URL(target, self.location.origin + path).pathname);
}

/** Makes a new set if the server has other files. True: there is a new one. */
function check() {
  checking ||= compare().finally(() => { checking = null; });
  return checking;
}

async function compare() {
  const old = await present();
  const files = await fetchAll();
  let changed = !old;
  for (const [path, answer] of files) {
    if (!old || !answer || path === "/settings.json") continue;
    const kept = await old.match(path);
    changed ||= kept?.headers.get("etag") !== answer.headers.get("etag");
  }
  if (!changed) {
    await sweep(await newestName());
    return false;
  }
  // A clock that was set back must not make the new set the older one.
  const before = Number((await newestName()).slice(prefix.length));
  const name = prefix + String(Math.max(Date.now(), before + 1)).padStart(15, "0");
  const cache = await caches.open(name);
  for (const [path, answer] of files) if (answer) await cache.put(path, answer);
  await cache.put(complete, new Response(""));
  await sweep(name);
  if (old) for (const each of await self.clients.matchAll({ type: "window" })) each.postMessage({ type: "new-version" });
  return true;
}

const bound = new Map(); // what was remembered since this worker began

/** Remembers that a window uses a set. */
async function bind(id, name) {
  bound.set(id, name);
  const windows = await caches.open(windowsName);
  await windows.put(`/${id}`, Response.json({ name, at: Date.now() }));
}

/** The set that a window uses: its own while that is there, else the newest. */
async function setOf(id) {
  if (!id) return present();
  if (!bound.has(id)) {
    const known = await (await caches.open(windowsName)).match(`/${id}`);
    if (known) bound.set(id, (await known.json()).name);
  }
  if (bound.has(id) && await caches.has(bound.get(id))) return caches.open(bound.get(id));
  const name = await newestName();
  if (name) await bind(id, name);
  return name ? caches.open(name) : null;
}

/** Deletes sets that no window uses, but not the newest. */
async function sweep(newest) {
  const windows = await caches.open(windowsName);
  const open = new Set((await self.clients.matchAll({ includeUncontrolled: true })).map(({ id }) => id));
  const used = new Set([newest, windowsName]);
  for (const request of await windows.keys()) {
    const { name, at } = await (await windows.match(request)).json();
    if (open.has(new URL(request.url).pathname.slice(1)) || Math.abs(Date.now() - at) < startMs) used.add(name);
    else await windows.delete(request);
  }
  for (const name of await caches.keys()) if (!used.has(name)) await caches.delete(name);
}

const isFile = (path) => /^\/(core|ui|tasks|views|style|icons|lib)\//.test(path) || path === "/app.js" || path === "/manifest.webmanifest";

self.addEventListener("fetch", (event) => {
  const { request } = event;
  const { pathname, origin } = new URL(request.url);
  if (request.method !== "GET" || origin !== self.location.origin) return;
  if (request.mode === "navigate" && !/\.[a-z]+$/.test(pathname)) {
    const page = begin(event.resultingClientId, request);
    event.respondWith(page);
    event.waitUntil(page.then(check).catch(() => {}));
  } else if (isFile(pathname)) {
    event.respondWith(kept(pathname, request, event.clientId));
  } else if (pathname === "/settings.json") {
    event.respondWith(settings(request));
  }
});

/** The document of a new window, which uses the newest set from now on. */
async function begin(id, request) {
  const name = await newestName();
  if (!name) return fetch(request);
  if (id) await bind(id, name);
  return (await (await caches.open(name)).match("/index.html")) || fetch(request);
}

async function kept(path, request, id) {
  return (await (await setOf(id))?.match(path)) || fetch(request);
}

async function settings(request) {
  const cache = await present();
  try {
    const answer = await fetch(request);
    if (answer.ok) await cache?.put("/settings.json", answer.clone());
    return answer;
  } catch (error) {
    const known = await cache?.match("/settings.json");
    if (known) return known;
    throw error;
  }
}
