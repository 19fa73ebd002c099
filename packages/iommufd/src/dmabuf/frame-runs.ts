// FrameRuns: the page frames of a buffer whose physical ranges iommufd was told, read from front to back.
// Source followed: the reader's cursor over a physical list in the RFC's later patch to drivers/iommu/iommufd/pages.c: ranges
// before the page are skipped, then what is left of the range is taken at once.
// Simplified: none.

import type { PhysVec } from '@sgfree/dma-buf';
import { frameOf, InternalError, PAGE_SIZE } from '@sgfree/hw-model';

/**
 * Neighbouring frames.
 * @internal
 */
export interface FrameRun {
  readonly frame: number;
  readonly count: number;
}

/**
 * Frames by page of the buffer. Ranges are whole pages, unless there is only one.
 * @internal
 */
export class FrameRuns {
  readonly #phys: readonly PhysVec[];
  /** The range last read, and its first page in the buffer. */
  #at = 0;
  #base = 0;

  constructor(phys: readonly PhysVec[]) {
    this.#phys = phys;
  }

  /** The frames from page `page` of the buffer on, `most` or up to the end of its range. */
  runAt(page: number, most: number): FrameRun {
    if (page < this.#base) this.#rewind();
    for (;;) {
      const range = this.#phys[this.#at];
      if (range === undefined) throw new InternalError(`page ${page} is behind the end of its buffer`);
      const pages = Math.ceil(range.len / PAGE_SIZE);
      if (page < this.#base + pages) {
        const within = page - this.#base;
        return { frame: frameOf(range.paddr) + within, count: Math.min(most, pages - within) };
      }
      this.#base += pages;
      this.#at += 1;
    }
  }

  #rewind(): void {
    this.#at = 0;
    this.#base = 0;
  }
}
