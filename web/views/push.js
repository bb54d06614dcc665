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
  if (!window.isSecureContext) {
    return "Browsers give Web Push only to pages that came by HTTPS. Ask the operator for such an address.";
  }
  if (!("serviceWorker" in navigator) || !("PushManager" in window) || !("Notification" in window)) {
    return "This browser has no Web Push. Use another one, or e-mail or webhooks. On an iPhone, add this page to the home screen and open it from there.";
  }
  if (!channels.pushAvailable) return "Web Push is not set up on this server: its operator has to give it keys.";
  if (Notification.permission === "denied") {
    return "This browser blocks notifications of this page. Open the settings of the site (the sign beside the address), allow notifications, then load the page again.";
  }
  return "";
}

/** What a user can do when the browser does not subscribe; `error` is the browser's. */
function pushAdvice(error) {
  if (error.name === "NotAllowedError") return pushObstacle({ pushAvailable: true }) || notAllowed;
  if (error.name === "InvalidAccessError") return "The server's key for Web Push is not valid. Tell its operator.";
  return "This browser could not reach its push service. A private window has none, and some browsers have it switched off: look for “push” in the browser's settings, or check the network, then try again.";
}

const notAllowed = "The browser was not allowed to show notifications. Try again and choose “Allow”; if it does not ask, allow notifications in the settings of the site (the sign beside the address).";

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
  if (permission !== "granted") throw new Error(pushObstacle({ pushAvailable: true }) || notAllowed);
  const registration = await withDeadline(navigator.serviceWorker.ready,
    "The page's service worker is not running. Load the page again.");
  const made = await subscribe(registration.pushManager, bytesOf(publicKey)).catch((error) => {
    throw new Error(pushAdvice(error), { cause: error });
  });
  return call("NotificationService", "AddPushSubscription", { subscription: {
    endpoint: made.endpoint, p256dh: keyText(made.getKey("p256dh")), auth: keyText(made.getKey("auth")) } });
}

async function subscribe(manager, key) {
  const former = await manager.getSubscription();
  const formerKey = former?.options.applicationServerKey;
  if (former && (!formerKey || keyText(formerKey) !== keyText(key))) await former.unsubscribe();
  return manager.subscribe({ userVisibleOnly: true, applicationServerKey: key });
}

/** Ends Web Push to the browser of `subscription`, this one included. */
export async function switchPushOff(subscription) {
  await call("NotificationService", "RemovePushSubscription", { id: subscription.id });
  if (subscription.here) await (await browserSubscription())?.unsubscribe();
}

function withDeadline(promise, text) {
  return Promise.race([promise, new Promise((_, reject) => setTimeout(() => reject(new Error(text)), 5000))]);
}
