// UserFolio: neighbouring page frames that user memory holds as one: one page, or a huge page of 512.
// Source followed: include/linux/mm_types.h (struct folio), mm/gup.c (pins are counted apart from mappings).
// Simplified: reference counts are mappings and pins only; a folio that has neither is freed at once.

import type { PageAllocator } from '../page-allocator.ts';

/**
 * Frames that are mapped, pinned and freed together.
 * @public
 */
export class UserFolio {
  readonly frame: number;
  /** 2^order frames. */
  readonly order: number;
  /** Page-table entries that show a frame of it. */
  mapCount = 0;
  /** Pins of devices and drivers, one per pinned page. */
  pins = 0;
  dirty = false;
  /** Null for frames that are not RAM: nothing frees them. */
  readonly #owner: PageAllocator | null;

  constructor(frame: number, order: number, owner: PageAllocator | null) {
    this.frame = frame;
    this.order = order;
    this.#owner = owner;
  }

  /** Frames of the folio. */
  get frameCount(): number {
    return 2 ** this.order;
  }

  /** Gives the frames back when nobody holds them any more. */
  drop(): void {
    if (this.mapCount === 0 && this.pins === 0) this.#owner?.freePages(this.frame, this.order);
  }
}
