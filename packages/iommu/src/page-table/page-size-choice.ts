// PageSizeChoice: which page size a mapping uses next, and for how long.
// Source followed: drivers/iommu/generic_pt/pt_iter.h, pt_compute_best_pgsize() and pt_pgsz_count().
// Greedy: the largest size that divides both addresses and fits; a run ends where a larger size could begin.
// Sizes are orders: base-2 logarithms of page frames. Simplified: none.

import { commonAlignment, commonLowBits, FRAME_LIMIT, floorLog2, orderFrames } from './frame-bits.ts';

const PAGE_SHIFT = 12;
const ORDERS = 53;
const NONE = 64;

/**
 * The page sizes of one table.
 * @internal
 */
export class PageSizeChoice {
  readonly bitmap: number;
  /** Greatest order on offer that is not above the index; -1 = none. */
  readonly #atMost: Int8Array = new Int8Array(ORDERS).fill(-1);
  /** Least order on offer that is above the index; {@link NONE} = none. */
  readonly #above: Int8Array = new Int8Array(ORDERS).fill(NONE);

  /** `bitmap`: page sizes in bytes, one bit each, below 2^53. */
  constructor(bitmap: number) {
    this.bitmap = bitmap;
    const offered = (order: number): boolean => {
      const sizes = Math.floor(bitmap / 2 ** (order + PAGE_SHIFT));
      return sizes - Math.floor(sizes / 2) * 2 === 1;
    };
    for (let order = 0, best = -1; order < ORDERS; order += 1) {
      if (offered(order)) best = order;
      this.#atMost[order] = best;
    }
    for (let order = ORDERS - 1, next = NONE; order >= 0; order -= 1) {
      this.#above[order] = next;
      if (offered(order)) next = order;
    }
  }

  /** Order of the page to use at (`frame`, `phys`) with `pages` page frames to go; -1 = no size fits. */
  best(frame: number, phys: number, pages: number): number {
    if (pages < 1) return -1;
    const limit = Math.min(commonAlignment(frame, phys), floorLog2(pages));
    return this.#atMost[limit] as number;
  }

  /** Page frames that are mapped with pages of `order` before the size has to be chosen again. */
  run(frame: number, phys: number, pages: number, order: number): number {
    const size = orderFrames(order);
    const whole = Math.floor(pages / size) * size;
    const next = this.#above[order] as number;
    if (next === NONE || commonLowBits(frame, phys) < next) return whole;
    const larger = orderFrames(next);
    const boundary = (Math.floor(frame / larger) + 1) * larger;
    return boundary >= FRAME_LIMIT ? whole : Math.min(whole, boundary - frame);
  }
}
