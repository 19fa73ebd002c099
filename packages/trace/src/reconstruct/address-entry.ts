// AddressEntry: a mapping under an address by which the lines of the DMA API name it.
// Followed: dma_unmap_phys and dma_free name a DMA address, dma_unmap_sg the physical addresses of its list.
// Simplified: a mapping stands under one address of each kind.

import type { Addressed } from './address-index.ts';
import type { LiveMapping } from './reconstructed-mapping.ts';

/** An entry of an index by address. */
export class AddressEntry implements Addressed<AddressEntry> {
  readonly start: number;
  readonly end: number;
  readonly live: LiveMapping;
  chained: AddressEntry | null = null;

  constructor(start: number, bytes: number, live: LiveMapping) {
    this.start = start;
    this.end = start + Math.max(bytes, 1);
    this.live = live;
  }
}
