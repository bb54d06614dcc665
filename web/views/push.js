// Web Push in this browser: whether it is on, and switching it on and off.
import { call } from "../core/api.js";

const bytesOf = (base64url) => {
  const text = atob(base64url.replaceAll("-", "+").replaceAll("_", "/"));
  return Uint8Array.from(text, (character) => character.charCodeAt(0));
};

const keyText = (buffer) => btoa(String.fromCharCode(...new Uint8Array(buffer))).replaceAll("+", "-").replaceAll("/",
  "_").replace(/=+$/, "");

/** Why Web Push cannot be switched on here, in a sentence; empty: it can. */
export function pushObstacle(channels) {
  if (!("serviceWorker" in navigator) || !("PushManager" in window) || !("Notification" in window)) {
    return "This browser has no Web Push. On an iPhone, add this page to the home screen first.";
  }
  if (!channels.pushAvailable) return "Web Push is not set up on this server.";
  if (Notification.permission === "denied") return "This browser blocks notifications of this site. Allow them in the settings of the site, then come back.";
  return "";
}

/** The subscription of this browser, or null. */
export async function browserSubscription() {
  if (!("serviceWorker" in navigator) || !("PushManager" in window)) return null;
  const registration = await navigator.serviceWorker.getRegistration();
  return registration ? registration.pushManager.getSubscription() : null;
}

/** The subscriptions of the user, this browser's marked: `[{id, endpoint, createdAt, here}]`. */
export async function listSubscriptions(signal) {
  const [answer, here] = await Promise.all([
    call("NotificationService", "ListPushSubscriptions", {}, { signal, get: true }),
      browserSubscription().catch(() => null)]);
  return (answer.subscriptions || []).map((each) => ({ ...each, here: each.endpoint === here?.endpoint }));
}

/** Asks for the permission, subscribes this browser and tells the server. */
export async function switchPushOn(publicKey) {
  const permission = await Notification.requestPermission();
  if (permission !== "granted") throw new Error("The browser did not allow notifications. Allow them in the settings of the site.");
  const registration = await withDeadline(navigator.serviceWorker.ready,
    "The page's service worker is not running. Load the page again.");
  const key = bytesOf(publicKey);
  const former = await registration.pushManager.getSubscription();
  const formerKey = former?.options.applicationServerKey;
  if (former && (!formerKey || keyText(formerKey) !== keyText(key))) await former.unsubscribe();
  const made = await registration.pushManager.subscribe({ userVisibleOnly: true, applicationServerKey: key });
  return call("NotificationService", "AddPushSubscription", { subscription: {
    endpoint: made.endpoint, p256dh: keyText(made.getKey("p256dh")), auth: keyText(made.getKey("auth")) } });
}

/** Ends Web Push to the browser of `subscription`, this one included. */
export async function switchPushOff(subscription) {
  await call("NotificationService", "RemovePushSubscription", { id: subscription.id });
  if (subscription.here) await (await browserSubscription())?.unsubscribe();
}

function withDeadline(promise, text) {
  return Promise.race([promise, new Promise((_, reject) => setTimeout(() => reject(new Error(text)), 5000))]);
}
