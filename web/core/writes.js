// The writes that wait, in their order: in the copy in IndexedDB, or in memory where the browser stores nothing.

const firstLoose = 2 ** 40; // orders of the writes in memory come after those of the copy; parts of a write lie between

export class Writes {
  #copy;
  #loose = new Map();
  #last = firstLoose;

  /** `copy`: null when the browser has none. */
  constructor(copy) { this.#copy = copy; }

  /** The number of writes that would be lost with the tab. */
  get loose() { return this.#loose.size; }

  async read() {
    return [...(this.#copy ? await this.#copy.readWrites() : []), ...this.#loose.values()];
  }

  /** Takes a write in and gives it its order. True: it stands in IndexedDB, where a closed tab does not lose it. */
  async add(write) {
    try {
      write.order = await this.#copy.addWrite(write);
      return true;
    } catch {
      this.#last += 1;
      write.order = this.#last;
      this.#loose.set(write.order, write);
      return false;
    }
  }

  /**
   * Changes the queue in one step: `edit(writes)` returns {put: [write…], remove: [order…], names: [[temporary id, id]…],
   * notes: [[id, words of a task that are to be read later]…]}.
   */
  async edit(edit) {
    const whole = (stored) => {
      const { put = [], remove = [], names = [], notes } = edit([...stored, ...this.#loose.values()]);
      put.filter(({ order }) => order > firstLoose).forEach((write) => this.#loose.set(write.order, write));
      remove.forEach((order) => this.#loose.delete(order));
      return { put: put.filter(({ order }) => order < firstLoose), remove: remove.filter((order) => order < firstLoose), names, notes };
    };
    if (this.#copy) await this.#copy.editWrites(whole);
    else whole([]);
  }
}
