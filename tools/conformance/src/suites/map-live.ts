// The mappings a recorded run has not undone yet, in the order in which its module kept them: a new one goes to the
// end, and where one is taken out the last one moves in.
// Field meanings: vectors/kernel/README.md, record `live`.
// Simplified: none.

/** Live mappings by the id of their record; each knows how to undo itself. */
export class LiveMappings {
  readonly #ids: number[] = [];
  readonly #undo = new Map<number, () => void>();

  /** The ids in the module's order. */
  get ids(): readonly number[] {
    return [...this.#ids];
  }

  add(id: number, undo: () => void): void {
    this.#ids.push(id);
    this.#undo.set(id, undo);
  }

  /** Takes a mapping out; throws RangeError when there is none. */
  take(id: number): () => void {
    const undo = this.#undo.get(id);
    const at = this.#ids.indexOf(id);
    if (undo === undefined || at < 0) throw new RangeError(`nothing live has id ${id}`);
    this.#undo.delete(id);
    const last = this.#ids.pop() as number;
    if (at < this.#ids.length) this.#ids[at] = last;
    return undo;
  }
}
