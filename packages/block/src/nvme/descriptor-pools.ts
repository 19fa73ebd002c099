// DescriptorPools: the blocks PRP lists and SGL segments are written into, and how they go back.
// Source followed: drivers/nvme/host/pci.c (nvme_dma_pool, nvme_free_descriptors, nvme_setup_descriptor_pools).
// Simplified: one pair of pools per driver, not per memory node.

import { frameOf, offsetWithin, type PhysicalMemory } from '@sgfree/hw-model';
import { type CoherentBlock, type CoherentSource, DmaPool } from './dma-pool.ts';
import type { NvmeIod } from './nvme-iod.ts';
import { NVME_CTRL_PAGE_SIZE, NVME_SMALL_POOL_SIZE } from './nvme-pci-limits.ts';
import type { TrackingMemory } from './tracking-memory.ts';

/**
 * The small (256 bytes) and the large (4096 bytes) descriptor pool.
 * @public
 */
export class DescriptorPools {
  readonly small: DmaPool;
  readonly large: DmaPool;
  readonly #memory: PhysicalMemory;
  readonly #tracking: TrackingMemory;

  constructor(source: CoherentSource, memory: PhysicalMemory, tracking: TrackingMemory) {
    this.small = new DmaPool(source, NVME_SMALL_POOL_SIZE);
    this.large = new DmaPool(source, NVME_CTRL_PAGE_SIZE);
    this.#memory = memory;
    this.#tracking = tracking;
  }

  /** Adds a block to the command's descriptors; null when there is none. */
  add(iod: NvmeIod): CoherentBlock | null {
    const pool = iod.smallDescriptor ? this.small : this.large;
    const block = pool.alloc();
    if (block === null) return null;
    this.#tracking.take('descriptor', block.bytes);
    iod.descriptors.push(block);
    return block;
  }

  /** The bytes of a block, live: a store is a store to coherent memory. */
  viewOf(block: CoherentBlock): DataView {
    const page = this.#memory.frameBytes(frameOf(block.phys));
    const at = offsetWithin(block.phys, NVME_CTRL_PAGE_SIZE);
    return new DataView(page.buffer, page.byteOffset + at, block.bytes);
  }

  /** Returns every descriptor block of a command. */
  free(iod: NvmeIod): void {
    for (const block of iod.descriptors) {
      (iod.smallDescriptor ? this.small : this.large).free(block);
      this.#tracking.give(block.bytes);
    }
    iod.descriptors.length = 0;
  }

  destroy(): void {
    this.small.destroy();
    this.large.destroy();
  }
}
