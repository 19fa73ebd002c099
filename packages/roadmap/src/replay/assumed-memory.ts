// AssumedMemory: places for coherent memory of which the trace shows the size only, as traces without iommu events do.
// Source followed: none; the kernel would have taken free pages from anywhere.
// Simplified: one block after the other, each contiguous; used by count, never by content.

const FIRST = 2 ** 46;
const LAST = 2 ** 47;
const ALIGNMENT = 2 ** 21;

/** Hands out physical addresses that stand for unknown ones. */
export class AssumedMemory {
  #next = FIRST;

  /** The places of pieces of so many bytes; known ones stay. */
  placesFor(phys: readonly number[], bytes: readonly number[]): readonly number[] {
    if (!phys.some((start) => start < 0)) return phys;
    return phys.map((start, piece) => (start < 0 ? this.#take(bytes[piece] as number) : start));
  }

  #take(bytes: number): number {
    const start = this.#next;
    this.#next += Math.ceil(bytes / ALIGNMENT) * ALIGNMENT;
    if (this.#next >= LAST) this.#next = FIRST;
    return start;
  }
}
