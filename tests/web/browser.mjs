// What the modules of the page use of a browser, for Node.
import { setMaxListeners } from "node:events";
import { register } from "node:module";

register("./hooks.mjs", import.meta.url);

const faster = 100;
const realTimeout = globalThis.setTimeout;
globalThis.setTimeout = (run, delay, ...rest) => realTimeout(run, (delay || 0) / faster, ...rest);

class Channel extends BroadcastChannel {
  constructor(name) {
    super(name);
    this.unref(); // it must not keep the process
  }
}

const ends = new Map();

/** As navigator.locks: one at a time under a name. */
function request(name, work) {
  const result = (ends.get(name) || Promise.resolve()).then(work);
  ends.set(name, result.catch(() => {}));
  return result;
}

const events = new EventTarget();
const page = new EventTarget();
page.visibilityState = "visible";
setMaxListeners(0, events, page); // all tabs of a test file listen
const define = (name, value) => Object.defineProperty(globalThis, name, { value, configurable: true, writable: true });
define("document", page);
define("navigator", { onLine: true, locks: { request } });
define("location", { origin: "http://page", pathname: "/", search: "", protocol: "http:", host: "page" });
define("BroadcastChannel", Channel);
define("addEventListener", events.addEventListener.bind(events));
define("removeEventListener", events.removeEventListener.bind(events));
define("dispatchEvent", events.dispatchEvent.bind(events));
define("reportError", (error) => { globalThis.reported = [...(globalThis.reported || []), error]; });
