// The mappings a recorded run has not undone yet, in the order in which its module kept them: a new one goes to the
// end, and where one is taken out the last one moves in.
// Field meanings: vectors/kernel/README.md, record `live`.
// Simplified: none.

/** Live mappings by the id of their record; each knows how to undo itself. */
export class LiveMappings {
  readonly #ids: unknown[] = [];
  readonly #undo = new Map<unknown, () => void>();

  /** The ids in the module's order. */
  get ids(): readonly unknown[] {
    return [...this.#ids];
  }

  add(id: unknown, undo: () => void): void {
    this.#ids.push(id);
    this.#undo.set(id, undo);
  }

  /** Takes a mapping out; throws RangeError when there is none. */
  take(id: unknown): () => void {
    const undo = this.#undo.get(id);
    const at = this.#ids.indexOf(id);
    if (undo === undefined || at < 0) throw new RangeError(`nothing live has id ${String(id)}`);
    this.#undo.delete(id);
    const last = this.#ids.pop();
    if (at < this.#ids.length) this.#ids[at] = last;
    return undo;
  }
}
