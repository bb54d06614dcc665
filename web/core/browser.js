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

/** Runs `work` while no other tab runs something under that name. Without locks, tabs may run it at the same time. */
export function exclusively(name, work) {
  return navigator.locks ? navigator.locks.request(name, work) : work();
}
