// Registers the service worker, and offers a new version of the page when there is one.
import { router } from "./router.js";
import { toast } from "../ui/toast.js";

const policy = globalThis.trustedTypes?.createPolicy("todo-page", {
  createScriptURL(path) {
    if (path !== "/sw.js") throw new TypeError("not the service worker");
    return path;
  },
});

const firstViewMs = 1000;

function register() {
  const path = policy ? policy.createScriptURL("/sw.js") : "/sw.js";
  navigator.serviceWorker.register(path, { type: "module", updateViaCache: "none" }).catch(() => {
    // A browser that refuses (private windows do) shows the page without it.
  });
}

export function startWorker() {
  if (!("serviceWorker" in navigator)) return;
  // It fetches all files of the page, so it comes after the first view.
  if (navigator.serviceWorker.controller || document.readyState === "complete") register();
  else addEventListener("load", () => setTimeout(register, firstViewMs), { once: true });
  navigator.serviceWorker.addEventListener("message", ({ data }) => {
    if (data?.type === "open") router.go(data.path);
    if (data?.type === "new-version") {
      toast({ text: "A new version is ready", timeout: 0, actions: [{ label: "Load it", run: () => location.reload() }] });
    }
  });
}
