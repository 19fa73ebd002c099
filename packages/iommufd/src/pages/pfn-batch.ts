// PfnBatch: page frames read in order, neighbours merged: what one step of a walk over pages works on.
// Source followed: struct pfn_batch, batch_add_pfn_num(), batch_init() in drivers/iommu/iommufd/pages.c.
// A batch holds memory of the CPU or of a device, never both. It is full when a frame needs an entry and none is left.
// Simplified: no backup memory on the stack; the arrays exist for the life of a walk.

import { IOMMU_CACHE, IOMMU_MMIO } from '@sgfree/iommu';
import { BATCH_ENTRY_BYTES } from '../iommufd-platform.ts';

/**
 * Runs of page frames.
 * @internal
 */
export class PfnBatch {
  readonly frames: Float64Array;
  readonly counts: Float64Array;
  /** Entries in use. */
  end = 0;
  /** Frames of all entries. */
  total = 0;
  /** The frames are device memory. */
  mmio = false;

  /** Room for `pages` single pages, as far as `memoryLimit` bytes reach. */
  constructor(pages: number, memoryLimit: number) {
    const entries = Math.max(1, Math.min(pages, Math.floor(memoryLimit / BATCH_ENTRY_BYTES)));
    this.frames = new Float64Array(entries);
    this.counts = new Float64Array(entries);
  }

  clear(): void {
    this.end = 0;
    this.total = 0;
    this.mmio = false;
  }

  /** Adds `count` neighbouring frames; false when the batch is full or of the other kind. */
  add(frame: number, count = 1, mmio = false): boolean {
    if (this.end > 0) {
      if (this.mmio !== mmio) return false;
      const before = this.end - 1;
      const held = this.counts[before] as number;
      if ((this.frames[before] as number) + held === frame) {
        this.counts[before] = held + count;
        this.total += count;
        return true;
      }
      if (this.end === this.frames.length) return false;
    }
    this.mmio = mmio;
    this.frames[this.end] = frame;
    this.counts[this.end] = count;
    this.end += 1;
    this.total += count;
    return true;
  }

  /** The permission bits for what is in the batch: device memory is never cached. */
  protFor(prot: number): number {
    return this.mmio ? (prot & ~IOMMU_CACHE) | IOMMU_MMIO : prot;
  }
}
