// What the frame of the page uses of the tasks.
import "./elsewhere.js";

export { TasksView } from "./lists.js";
export { useCounts } from "./selectors.js";
export { focusQuickAdd } from "./quick_add.js";
export { Conflicts } from "./conflicts.js";
