// What browsers give only to pages that came by HTTPS or from this machine, with a replacement for other addresses.

/** A new UUID. */
export function newId() {
  if (crypto.randomUUID) return crypto.randomUUID();
  const bytes = crypto.getRandomValues(new Uint8Array(16));
  bytes[6] = (bytes[6] & 0x0f) | 0x40;
  bytes[8] = (bytes[8] & 0x3f) | 0x80;
  const digits = [...bytes].map((byte) => byte.toString(16).padStart(2, "0")).join("");
  return digits.replace(/^(.{8})(.{4})(.{4})(.{4})/, "$1-$2-$3-$4-");
}

/**
 * Runs `work` while no other tab runs something under that name. Where locks are missing, or refused like all storage, tabs
 * may run it at the same time.
 */
export async function exclusively(name, work) {
  let begun = false;
  try {
    if (navigator.locks) {
      return await navigator.locks.request(name, () => {
        begun = true;
        return work();
      });
    }
  } catch (error) {
    if (begun || error.name !== "SecurityError") throw error;
  }
  return work();
}

/** One of the browser's storages of texts. Where the user's settings refuse it, or it is full, the tab's memory takes its place. */
function textsOf(name) {
  const memory = new Map();
  const attempt = (work, otherwise) => {
    try {
      return work(globalThis[name]); // even to name it may be refused
    } catch {
      return otherwise();
    }
  };
  return {
    get: (key) => memory.get(key) ?? attempt((storage) => storage.getItem(key), () => null),
    set(key, text) {
      memory.delete(key);
      attempt((storage) => storage.setItem(key, text), () => memory.set(key, text));
    },
    remove(key) {
      memory.delete(key);
      attempt((storage) => storage.removeItem(key), () => {});
    },
    /** The object that is kept under the name, or null. */
    read(key) {
      try {
        return JSON.parse(this.get(key));
      } catch {
        return null;
      }
    },
    /** False: what is kept ends with the tab. */
    get lasts() { return attempt((storage) => Boolean(storage), () => false); },
  };
}

export const localTexts = textsOf("localStorage");
export const sessionTexts = textsOf("sessionStorage");
