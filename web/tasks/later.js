// Parts of the lists that are loaded when they are first needed.
import { later, lazily, viewStyles } from "../ui/later.js";

const styled = (load) => Promise.all([load, viewStyles()]).then(([module]) => module);

/** Shows the history of the task `id`. */
export const openHistory = later(() => styled(import("./history.js")).then((module) => module.openHistory));
/** Asks for the due date of `tasks`, and writes it. */
export const chooseDue = later(() => import("./due_dialog.js").then((module) => module.chooseDue));
/** Asks how `task` repeats, and writes it. */
export const editRule = later(() => import("./recurrence.js").then((module) => module.editRule));
/** Asks for the tags of `tasks`, and writes them. */
export const chooseTags = later(() => import("./tags.js").then((module) => module.chooseTags));

/** The entries of the menu of one task. */
export const moreItems = later(() => import("./more_menu.js").then((module) => module.moreItems));
/** The entries of the menu of reminders. */
export const reminderItems = later(() => import("./reminders.js").then((module) => module.reminderItems));

/** The panel of one task. */
export const Panel = lazily(() => import("./panel.js").then((module) => module.Panel));
/** What the line for new tasks means. */
export const Understood = lazily(() => import("./understood.js").then((module) => module.Understood));
/** What can be done to the selected tasks. */
export const BulkBar = lazily(() => styled(import("./bulk_bar.js")).then((module) => module.BulkBar));
/** The question which version of a task is right. */
export const ConflictQuestion = lazily(() => styled(import("./conflict_question.js")).then((module) => module.ConflictQuestion));
