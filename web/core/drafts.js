// Texts that are no changes yet. Half-written ones belong to their tab, and to the next tab when theirs is closed. Lines
// that were submitted, and wait until their words are read, stay here until they stand in the queue. All are of one user.

const draftPrefix = "todo.draft.";
const linePrefix = "todo.line.";
const keyOf = (user, field) => `${draftPrefix}${encodeURIComponent(user)}/${field}`;

function keysOf(storage, prefix) {
  return Array.from({ length: storage.length }, (_, at) => storage.key(at)).filter((key) => key.startsWith(prefix));
}

/** Does `work` on the browser's storage; one that is refused or full keeps no text. */
function attempt(work, otherwise) {
  try {
    return work();
  } catch {
    return otherwise;
  }
}

/** The name under which a text stays that the user has left by Esc. */
export const asideOf = (field) => `${field}/aside`;

export const drafts = {
  /** The half-written text of a field, or null. */
  get: (user, field) => attempt(() => sessionStorage.getItem(keyOf(user, field)), null),
  /** Keeps the text; an empty one is forgotten. */
  set: (user, field, text) => attempt(() => (text ? sessionStorage.setItem(keyOf(user, field), text)
    : sessionStorage.removeItem(keyOf(user, field)))),
};

export const lines = {
  /** Keeps a line {id, user, …}. */
  keep: (line) => attempt(() => localStorage.setItem(linePrefix + line.id, JSON.stringify(line))),
  drop: (id) => attempt(() => localStorage.removeItem(linePrefix + id)),
  has: (id) => attempt(() => localStorage.getItem(linePrefix + id) !== null, false),
  of: (user) => attempt(() => keysOf(localStorage, linePrefix).map((key) => JSON.parse(localStorage.getItem(key)))
    .filter((line) => line?.user === user).sort((one, other) => one.at - other.at), []),
};

/** Forgets all texts of a user who signs out. */
export function forgetTexts(user) {
  lines.of(user).forEach(({ id }) => lines.drop(id));
  for (const storage of ["sessionStorage", "localStorage"]) {
    attempt(() => keysOf(globalThis[storage], keyOf(user, "")).forEach((key) => globalThis[storage].removeItem(key)));
  }
}

function leaveBehind() {
  attempt(() => keysOf(sessionStorage, draftPrefix).forEach((key) => localStorage.setItem(key, sessionStorage.getItem(key))));
}

function takeOver() {
  attempt(() => keysOf(localStorage, draftPrefix).forEach((key) => {
    if (sessionStorage.getItem(key) === null) sessionStorage.setItem(key, localStorage.getItem(key));
    localStorage.removeItem(key);
  }));
}

addEventListener("pagehide", leaveBehind);
addEventListener("pageshow", ({ persisted }) => persisted && takeOver());
takeOver();
