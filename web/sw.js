// The service worker: it keeps the files of the page, so that the page opens without a network, and shows pushed
// reminders. Answers of the API are never kept.
//
// The files are kept as one set, found by following the imports from app.js. A page gets all its files from one set. After
// each visit the set is compared with the server by ETag; when a file has changed, a new set is made, and the windows are
// told that a new version is ready.
import { onNotificationClick, onPush } from "./views/push_worker.js";

const prefix = "todo-page-";
const complete = "/complete"; // an entry of a set that has all its files
const start = ["/index.html", "/app.js", "/manifest.webmanifest", "/style/base.css", "/style/components.css", "/style/tasks.css",
  "/style/views.css", "/lib/uplot.js", "/lib/uplot.css", "/icons/icon.svg", "/icons/icon-192.png", "/settings.json"];
const optional = new Set(["/settings.json", "/style/tasks.css", "/style/views.css", "/lib/uplot.js", "/lib/uplot.css"]);
let checking = null;

self.addEventListener("install", (event) => event.waitUntil(check().then(() => self.skipWaiting())));
self.addEventListener("activate", (event) => event.waitUntil(self.clients.claim()));
self.addEventListener("push", onPush);
self.addEventListener("notificationclick", onNotificationClick);

/** The newest complete set, or null. */
async function present() {
  const names = (await caches.keys()).filter((name) => name.startsWith(prefix)).sort().reverse();
  for (const name of names) {
    const cache = await caches.open(name);
    if (await cache.match(complete)) return cache;
  }
  return null;
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
  if (!changed) return false;
  const name = prefix + String(Date.now()).padStart(15, "0");
  const cache = await caches.open(name);
  for (const [path, answer] of files) if (answer) await cache.put(path, answer);
  await cache.put(complete, new Response(""));
  for (const other of await caches.keys()) if (other !== name) await caches.delete(other);
  if (old) for (const each of await self.clients.matchAll({ type: "window" })) each.postMessage({ type: "new-version" });
  return true;
}

const isFile = (path) => /^\/(core|ui|tasks|views|style|icons|lib)\//.test(path) || path === "/app.js" || path === "/manifest.webmanifest";

self.addEventListener("fetch", (event) => {
  const { request } = event;
  const { pathname, origin } = new URL(request.url);
  if (request.method !== "GET" || origin !== self.location.origin) return;
  if (request.mode === "navigate" && !/\.[a-z]+$/.test(pathname)) {
    event.respondWith(kept("/index.html", request));
    event.waitUntil(check().catch(() => {}));
  } else if (isFile(pathname)) {
    event.respondWith(kept(pathname, request));
  } else if (pathname === "/settings.json") {
    event.respondWith(settings(request));
  }
});

async function kept(path, request) {
  return (await (await present())?.match(path)) || fetch(request);
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
