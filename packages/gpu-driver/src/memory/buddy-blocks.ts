// BuddyBlocks: the free pieces of VRAM by size; a piece is split into two buddies, and two free buddies are joined again.
// Source followed: drivers/gpu/buddy.c: power-of-two blocks from 4 KiB on, blocks inside a range or from the top.
// Simplified: free lists are kept sorted by offset, lowest first, instead of most recently freed first; no cleared state.

const PAGE_BYTES = 4096;

/** The free blocks of a memory whose size is a multiple of a page. @internal */
export class BuddyBlocks {
  /** Free offsets by order (0 = one page), ascending. */
  readonly #free: number[][];
  #freeBytes = 0;

  constructor(bytes: number) {
    const orders = Math.max(1, Math.floor(Math.log2(bytes / PAGE_BYTES)) + 1);
    this.#free = Array.from({ length: orders }, () => []);
    for (let at = 0; at < bytes; ) {
      const order = this.#largestOrder(at, bytes - at);
      (this.#free[order] as number[]).push(at);
      at += orderBytes(order);
    }
    this.#freeBytes = bytes;
  }

  get freeBytes(): number {
    return this.#freeBytes;
  }

  /** Order of the largest block that may serve `bytes`: not larger than it. */
  orderFor(bytes: number): number {
    return Math.min(this.#free.length - 1, Math.floor(Math.log2(bytes / PAGE_BYTES)));
  }

  /**
   * Takes a block of `order` that ends at or below `end`; the lowest one, or with `fromTop` the highest. -1 when there is none.
   */
  take(order: number, end: number, fromTop: boolean): number {
    for (let from = order; from < this.#free.length; from += 1) {
      const found = this.#find(from, order, end, fromTop);
      if (found < 0) continue;
      const [block] = (this.#free[from] as number[]).splice(found, 1);
      this.#freeBytes -= orderBytes(order);
      return this.#split(block as number, from, order, end, fromTop);
    }
    return -1;
  }

  /** Gives a block back. */
  give(offset: number, bytes: number): void {
    this.#freeBytes += bytes;
    let order = Math.round(Math.log2(bytes / PAGE_BYTES));
    let block = offset;
    for (; order < this.#free.length - 1; order += 1) {
      const size = orderBytes(order);
      const buddy = (block / size) % 2 === 0 ? block + size : block - size;
      const list = this.#free[order] as number[];
      const at = list.indexOf(buddy);
      if (at < 0) break;
      list.splice(at, 1);
      block = Math.min(block, buddy);
    }
    this.#insert(order, block);
  }

  /** Index of a block of order `from` in which `order` fits below `end`. */
  #find(from: number, order: number, end: number, fromTop: boolean): number {
    const list = this.#free[from] as number[];
    const fits = (block: number): boolean => block + orderBytes(order) <= end;
    return fromTop ? list.findLastIndex(fits) : list.findIndex(fits);
  }

  #split(block: number, from: number, order: number, end: number, fromTop: boolean): number {
    let start = block;
    for (let at = from - 1; at >= order; at -= 1) {
      const upper = start + orderBytes(at);
      const useUpper = fromTop && upper + orderBytes(order) <= end;
      this.#insert(at, useUpper ? start : upper);
      if (useUpper) start = upper;
    }
    return start;
  }

  #insert(order: number, block: number): void {
    const list = this.#free[order] as number[];
    const at = list.findIndex((other) => other > block);
    list.splice(at < 0 ? list.length : at, 0, block);
  }

  #largestOrder(at: number, bytes: number): number {
    let order = this.orderFor(bytes);
    while (at % orderBytes(order) !== 0) order -= 1;
    return order;
  }
}

const orderBytes = (order: number): number => PAGE_BYTES * 2 ** order;
