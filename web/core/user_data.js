// Opens and closes what belongs to one user: the copy in this browser, the feed, the queue. Nothing of one user is in
// memory when the next one comes.
import { Copy } from "./db.js";
import { taskFromFeed } from "./api.js";
import { preferences } from "./preferences.js";
import { startFeed, stopFeed } from "./feed.js";
import { openQueue, startQueue, stopQueue } from "./queue.js";
import { startSaving, stopSaving } from "./saving.js";
import { session } from "./session.js";
import { replaceTasks, resetStore } from "./store.js";
import { forgetSteps } from "./undo.js";
import { closeDialogs } from "../ui/dialog.js";
import { dismissAll } from "../ui/toast.js";

const patienceMs = 10000;
let present = "";
let copy = null;

/** Follows the session from now on. */
export function followSession() {
  session.subscribe(look);
  look();
}

function look() {
  const key = session.state.status === "signed-in" ? session.key : "";
  if (key === present) return;
  if (present) close();
  present = key;
  if (key) open(key);
}

function close() {
  closeDialogs();
  dismissAll();
  forgetSteps();
  stopFeed();
  stopQueue();
  stopSaving();
  copy?.close();
  copy = null;
  resetStore();
  preferences.forget();
}

async function open(key) {
  openQueue(key);
  preferences.reload();
  let cursor = null;
  try {
    const opened = await inTime(Copy.open(key));
    if (key !== present) return opened.close();
    copy = opened;
    const tasks = new Map();
    cursor = await copy.readTasks((part) => part.forEach((task) => tasks.set(task.id, taskFromFeed(task))));
    if (key !== present) return undefined;
    if (cursor) replaceTasks(tasks, { seq: cursor.seq, ready: true });
  } catch (error) {
    if (key !== present) return undefined;
    reportError(error);
    cursor = null;
  }
  // Without a copy the page works from memory.
  await startQueue(copy, key).catch(() => startQueue(null, key));
  if (key !== present) return undefined;
  startSaving(copy, cursor);
  return startFeed(cursor?.event_id ? cursor : null);
}

/** A database that another tab holds may not open at all. */
function inTime(opening) {
  return new Promise((resolve, reject) => {
    const timer = setTimeout(() => {
      reject(new Error("The copy did not open in time."));
      opening.then((late) => late.close(), () => {});
    }, patienceMs);
    opening.then(resolve, reject).finally(() => clearTimeout(timer));
  });
}
