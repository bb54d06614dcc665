// The commands of the palette that parts of the page add.

export const commands = new Map();

/** Adds a command: {label, icon?, hint?, run, when?()}. Returns its end. */
export function addCommand(command) {
  const key = Symbol(command.label);
  commands.set(key, command);
  return () => commands.delete(key);
}
