// DmaBufSgt: a table of DMA segments with no CPU view, and what has to be undone with it.
// Source followed: drivers/dma-buf/dma-buf-mapping.c (struct dma_buf_dma).
// Simplified: none.

import type { Device } from '@sgfree/dma-core';
import type { DmaIovaState } from '@sgfree/dma-iova';
import { type SgArrayAllocator, SgHeap, SgTable } from '@sgfree/dma-sg';
import type { LinuxQuirks } from './linux-quirks.ts';

/**
 * The importer's side of a buffer, as far as its table needs it.
 * @public
 */
export interface SgtAttachment {
  readonly dev: Device;
  readonly linuxQuirks?: LinuxQuirks;
  /** Where entry arrays come from; default: memory never runs out. */
  readonly sgArrays?: SgArrayAllocator;
}

/** How the segments of a table came to be. @internal */
export type SgtRoute = 'bus-address' | 'iova' | 'mapped';

/** A table made of physical ranges. @internal */
export class DmaBufSgt extends SgTable {
  readonly route: SgtRoute;
  /** In use for route `iova`. */
  readonly state: DmaIovaState;

  constructor(attach: SgtAttachment, route: SgtRoute, state: DmaIovaState) {
    super(null, attach.sgArrays ?? new SgHeap());
    this.route = route;
    this.state = state;
  }
}
