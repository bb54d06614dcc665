// What changes without this page is said to screen readers: by another tab or device, by an assistant, by a program.
import { announce } from "../core/announce.js";
import { onForeignChange } from "../core/feed.js";
import { quoted } from "./actions.js";

const gatherMs = 800; // many changes at once are one sentence
const words = { created: "Added", restored: "Restored", updated: "Changed", completed: "Completed", uncompleted: "Opened again", deleted: "Deleted", skipped: "Skipped" };

/** What a change is called. A task that comes back from its deletion is created, too, but not in its first version. */
export const wordOf = (change, { version, skipped_at: skipped }) => words[change === "created" && version > 1 ? "restored"
  : change === "deleted" && skipped ? "skipped" : change] || "Changed";

let heard = new Map();
let timer = 0;

function say() {
  timer = 0;
  const changes = [...heard.values()];
  heard = new Map();
  announce(changes.length === 1 ? `${wordOf(changes[0].change, changes[0].task)} elsewhere: ${quoted(changes[0].task)}`
    : `${changes.length} tasks changed elsewhere`);
}

onForeignChange(({ change, task }) => {
  // The next occurrence of a series is announced as such.
  if (!task || (change === "created" && task.series_id && task.occurrence > 1)) return;
  heard.set(task.id, { change, task });
  timer ||= setTimeout(say, gatherMs);
});
