// Why a change was taken back, in words for the user.
import { store } from "./store.js";
import { taskIdOf } from "./write_request.js";

/** "Could not rename “Milk”: the title must not be empty." */
export function explainRefusal(write, error) {
  const what = write.label ? `${write.label}: taken back` : "The change was taken back";
  return `${what}, because ${reasonOf(write, error)}`;
}

function reasonOf(write, error) {
  const [field] = error.fields;
  if (field) return `${nameOf(field.field)} ${field.description}.`;
  if (error.code === "not_found") return "the task has been deleted.";
  if (error.code === "permission_denied") return "you are not allowed to do this.";
  if (error.code === "internal") return "the server failed. Try again later.";
  const task = store.state.tasks.get(taskIdOf(write));
  const text = String(error.message || "the server refused it").replace(/\.$/, "");
  return task ? `${text} (${task.title.slice(0, 60)}).` : `${text}.`;
}

function nameOf(path) {
  const name = path.replace(/^.*\./, "").replaceAll("_", " ");
  return { "due local": "the due date", "due date": "the due date", "recurrence rule": "the rule" }[name] || `the ${name}`;
}
