// SlotArea: a part of a bounce pool with a search of its own, so that CPUs do not wait for each other.
// Source followed: kernel/dma/swiotlb.c (struct io_tlb_area, wrap_area_index).
// Simplified: no lock; each CPU still starts in its own area and takes the others when that is full.

/**
 * One area: `slotCount` slots from `firstSlot` of the pool on.
 * @internal
 */
export class SlotArea {
  readonly firstSlot: number;
  readonly slotCount: number;
  /** Slots in use. */
  used = 0;
  /** Where the next search begins, counted within the area. */
  index: number;

  constructor(firstSlot: number, slotCount: number, index: number) {
    this.firstSlot = firstSlot;
    this.slotCount = slotCount;
    this.index = index;
  }

  /** `index`, or 0 when it lies behind the area. */
  wrapped(index: number): number {
    return index >= this.slotCount ? 0 : index;
  }
}
