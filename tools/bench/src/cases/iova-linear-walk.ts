// The IOVA search as Linux makes it: a walk from gap to gap, over a plain sorted array. The oracle of the IOVA cases.
// Source followed: the rules of drivers/iommu/iova.c (first fit downwards from a remembered node, one second pass).
// Simplified: 32-bit limits only, natural alignment only, sizes that are powers of two, no reservations, no caches.

/** A linear allocator of ranges in frames. */
export class LinearWalk {
  readonly #startPfn: number;
  /** First and last frames, ascending; the end anchor is implied. */
  readonly #lo: number[] = [];
  readonly #hi: number[] = [];
  /** First frame of the remembered range, or infinity for the end anchor. */
  #cursor: number = Number.POSITIVE_INFINITY;

  constructor(startPfn: number) {
    this.#startPfn = startPfn;
  }

  /** First frame of `size` new frames at or below `limitPfn`, or -1. */
  alloc(size: number, limitPfn: number): number {
    const from = this.#cursor === Number.POSITIVE_INFINITY ? this.#lo.length : this.#lo.indexOf(this.#cursor);
    const found = this.#walk(from, this.#startPfn, size, limitPfn);
    const cursorHi = this.#hi[from];
    if (found >= 0 || cursorHi === undefined || cursorHi > limitPfn) return found;
    return this.#walk(this.#lo.length, cursorHi + 1, size, limitPfn);
  }

  /** Looks at the gaps below index `from` and downwards, not below frame `low`. */
  #walk(from: number, low: number, size: number, limitPfn: number): number {
    let high = limitPfn + 1;
    for (let at = from; at >= 0; at -= 1) {
      high = Math.min(high, this.#lo[at] ?? high);
      const pfn = Math.floor((high - size) / size) * size;
      if (pfn < low) return -1;
      if (pfn <= (this.#hi[at - 1] ?? -1)) continue;
      this.#lo.splice(at, 0, pfn);
      this.#hi.splice(at, 0, pfn + size - 1);
      this.#cursor = pfn;
      return pfn;
    }
    return -1;
  }

  /** Removes the range that starts at a frame. */
  free(pfn: number): void {
    const at = this.#lo.indexOf(pfn);
    if (at < 0) throw new RangeError(`no range at ${pfn}`);
    if (pfn >= this.#cursor) this.#cursor = this.#lo[at + 1] ?? Number.POSITIVE_INFINITY;
    this.#lo.splice(at, 1);
    this.#hi.splice(at, 1);
  }
}

/** Throws when a case and its oracle differ. */
export function requireSame(what: string, expected: number, got: number): void {
  if (expected !== got) throw new RangeError(`${what}: the oracle says ${expected}, the model ${got}`);
}
