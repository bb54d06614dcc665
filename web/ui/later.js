// Parts that are loaded when they are first needed, so that the first visit is short.
import { html, useEffect, useState } from "/lib/preact.js";
import { keys } from "../core/keys.js";
import { toast } from "./toast.js";

const failed = () => void toast({ text: "This part of the page could not be loaded. Check the connection, then try again." });

/** A function that is loaded when it is first called. Until then keys do nothing: they are meant for what it opens. */
export function later(load) {
  let loaded = null;
  return async (...given) => {
    if (!loaded) {
      const release = keys.hold();
      loaded = await load().catch(failed);
      release();
    }
    return loaded ? loaded(...given) : undefined;
  };
}

/** A component that is loaded when it is first drawn, after a failure again and again; nothing is shown until then. */
export function lazily(load) {
  let Loaded = null;
  return function Later(properties) {
    const [, redraw] = useState(false);
    useEffect(() => {
      let over = false;
      const begin = (tell) => load().then((component) => { Loaded = component; redraw(true); }, () => {
        tell?.();
        setTimeout(() => over || begin(), 3000);
      });
      if (!Loaded) begin(failed);
      return () => { over = true; };
    }, []);
    return Loaded ? html`<${Loaded} ...${properties} />` : null;
  };
}

let sheet = null;

/** The styles of the views that are no lists of tasks. */
export function viewStyles() {
  sheet ||= new Promise((resolve) => {
    const link = document.createElement("link");
    Object.assign(link, { rel: "stylesheet", href: "/style/views.css", onload: resolve, onerror: resolve });
    document.head.append(link);
  });
  return sheet;
}

export const openPalette = later(() => import("./palette.js").then((module) => module.openPalette));
export const openHelp = later(() => import("./help.js").then((module) => module.openHelp));
