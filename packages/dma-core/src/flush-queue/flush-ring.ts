// FlushRing: the unmapped ranges of one CPU (or of all) that wait for the next flush of their domain.
// Source followed: drivers/iommu/dma-iommu.c (struct iova_fq, struct iova_fq_entry, fq_full, fq_ring_add).
// One slot always stays free, so a ring of 256 holds 255 ranges. An entry remembers how many flushes had begun when it
// was queued: it may go once more than that many have ended.
// Simplified: no lock, because one thing runs at a time.

/** Bytes of an entry in the kernel: frame, length, list head, counter. */
const ENTRY_BYTES = 40;
/** Bytes before the entries: lock, head, tail, mask. */
const HEADER_BYTES = 16;

/**
 * Bytes that a ring of `size` entries takes in the kernel.
 * @public
 */
export const flushRingBytes = (size: number): number => HEADER_BYTES + size * ENTRY_BYTES;

/**
 * A ring of waiting ranges (`struct iova_fq`).
 * @public
 */
export class FlushRing {
  /** Slots, a power of two; one of them always stays free. */
  readonly size: number;
  /** Slot of the oldest entry. */
  head = 0;
  /** Slot that the next entry takes. */
  tail = 0;
  readonly #pfns: Float64Array;
  readonly #pages: Float64Array;
  readonly #counters: Float64Array;
  /** Frames of the table pages that the unmap took out; null = none. */
  readonly #freelists: (readonly number[] | null)[];

  constructor(size: number) {
    this.size = size;
    this.#pfns = new Float64Array(size);
    this.#pages = new Float64Array(size);
    this.#counters = new Float64Array(size);
    this.#freelists = new Array<readonly number[] | null>(size).fill(null);
  }

  /** Entries that wait. */
  get length(): number {
    return (this.tail - this.head) & (this.size - 1);
  }

  /** True when nothing waits. */
  get isEmpty(): boolean {
    return this.head === this.tail;
  }

  /** True when no entry can be added. */
  get isFull(): boolean {
    return ((this.tail + 1) & (this.size - 1)) === this.head;
  }

  /** First granule of the oldest entry. */
  get headPfn(): number {
    return this.#pfns[this.head] as number;
  }

  /** Granules of the oldest entry. */
  get headPages(): number {
    return this.#pages[this.head] as number;
  }

  /** Flushes that had begun when the oldest entry was queued. */
  get headCounter(): number {
    return this.#counters[this.head] as number;
  }

  /** Table pages of the oldest entry; null = none. */
  get headFreelist(): readonly number[] | null {
    return this.#freelists[this.head] ?? null;
  }

  /** Appends an entry; the ring must not be full. */
  add(pfn: number, pages: number, freelist: readonly number[] | null, counter: number): void {
    const slot = this.tail;
    this.#pfns[slot] = pfn;
    this.#pages[slot] = pages;
    this.#counters[slot] = counter;
    if (freelist !== null || this.#freelists[slot] !== null) this.#freelists[slot] = freelist;
    this.tail = (slot + 1) & (this.size - 1);
  }

  /** Drops the oldest entry; the ring must not be empty. */
  pop(): void {
    this.head = (this.head + 1) & (this.size - 1);
  }
}
