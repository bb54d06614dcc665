// Why a change was taken back, in words for the user.
import { store } from "./store.js";
import { taskIdOf } from "./write_request.js";

/** "Could not rename “Milk”: the title must not be empty." */
export function explainRefusal(write, error) {
  const what = write.label ? `${write.label}: taken back` : "The change was taken back";
  return `${what}, because ${reasonOf(write, error)}`;
}

/** Why a change could not be sent, in a sentence. */
export function explainStuck(error) {
  if (error.foreign) return `Something between this page and the service answered ${error.status}, so the change did not get through.`;
  if (error.code === "unimplemented") return "The service does not know this kind of change. It may be older than this page.";
  return "The service failed each time.";
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
