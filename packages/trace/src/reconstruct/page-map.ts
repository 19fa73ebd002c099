// PageMap: from page number to what is kept under it. Its own hash table, because entries come and go with every event:
// a `Map` copies itself again and again then, and each copy keeps all it held until the whole heap is collected.
// Followed: open addressing, linear probing; a removed entry leaves a mark, and marks go when the table is rebuilt.
// Simplified: a table never shrinks.

const FIRST_CAPACITY = 64;
/** Share of slots in use, marks included, from which on the table is rebuilt. */
const FULLEST = 0.6;

/** A map from page numbers below 2^52. */
export class PageMap<T extends object> {
  #pages: Float64Array = new Float64Array(FIRST_CAPACITY);
  /** Values; undefined was never used, null was removed. */
  #values: (T | null | undefined)[] = emptySlots(FIRST_CAPACITY);
  #used = 0;
  #size = 0;

  /** Pages that have a value. */
  get size(): number {
    return this.#size;
  }

  /** The slot of a page, or of the first one free where it is missing. */
  #slotOf(page: number): number {
    const mask = this.#values.length - 1;
    let slot = hashOf(page) & mask;
    let free = -1;
    for (let value = this.#values[slot]; value !== undefined; value = this.#values[slot]) {
      if (value === null) {
        if (free < 0) free = slot;
      } else if (this.#pages[slot] === page) return slot;
      slot = (slot + 1) & mask;
    }
    return free < 0 ? slot : free;
  }

  get(page: number): T | null {
    return this.#values[this.#slotOf(page)] ?? null;
  }

  set(page: number, value: T): void {
    const slot = this.#slotOf(page);
    const before = this.#values[slot];
    this.#pages[slot] = page;
    this.#values[slot] = value;
    if (before === undefined) this.#used += 1;
    if (before === undefined || before === null) this.#size += 1;
    if (this.#used > FULLEST * this.#values.length) this.#rebuild();
  }

  delete(page: number): void {
    const slot = this.#slotOf(page);
    const value = this.#values[slot];
    if (value === undefined || value === null) return;
    this.#values[slot] = null;
    this.#size -= 1;
  }

  #rebuild(): void {
    const [pages, values] = [this.#pages, this.#values];
    const capacity = this.#size > (FULLEST / 2) * values.length ? 2 * values.length : values.length;
    this.#pages = new Float64Array(capacity);
    this.#values = emptySlots(capacity);
    this.#used = 0;
    this.#size = 0;
    for (const [at, value] of values.entries()) {
      if (value !== undefined && value !== null) this.set(pages[at] ?? 0, value);
    }
  }

  /** Every value, in no order. */
  *values(): Generator<T> {
    for (const value of this.#values) if (value !== undefined && value !== null) yield value;
  }
}

const emptySlots = <T>(capacity: number): (T | null | undefined)[] =>
  new Array<T | null | undefined>(capacity).fill(undefined);

function hashOf(page: number): number {
  const high = Math.imul(page / 2 ** 32, 0x85eb_ca6b);
  const mixed = Math.imul(page ^ high, 0x9e37_79b1);
  return (mixed ^ (mixed >>> 15)) >>> 0;
}
