// Parts that are loaded when they are first needed, so that the first visit is short.
import { html, useEffect, useState } from "/lib/preact.js";
import { toast } from "../ui/toast.js";

const failed = () => void toast({ text: "This part of the page could not be loaded. Check the connection, then try again." });
const later = (load) => (...given) => load().then((run) => run(...given), failed);

/** Shows the history of the task `id`. */
export const openHistory = later(() => import("./history.js").then((module) => module.openHistory));
/** Asks how `task` repeats, and writes it. */
export const editRule = later(() => import("./recurrence.js").then((module) => module.editRule));

let LoadedPanel = null;

/** The panel of one task; nothing until it is loaded. */
export function Panel(properties) {
  const [, redraw] = useState(false);
  useEffect(() => {
    if (!LoadedPanel) import("./panel.js").then((module) => { LoadedPanel = module.Panel; redraw(true); }, failed);
  }, []);
  return LoadedPanel ? html`<${LoadedPanel} ...${properties} />` : null;
}
