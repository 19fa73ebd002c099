// DmaBufSgt: a table of DMA segments with no CPU view, and what has to be undone with it.
// Source followed: drivers/dma-buf/dma-buf-mapping.c (struct dma_buf_dma).
// Simplified: none.

import type { Device } from '@sgfree/dma-core';
import type { DmaIovaState } from '@sgfree/dma-iova';
import { type SgArrayAllocator, SgHeap, SgTable } from '@sgfree/dma-sg';
import type { LinuxQuirks } from '../linux-quirks.ts';
import type { DmaResv } from '../resv/dma-resv.ts';

/**
 * The importer's side of a buffer, as far as its table needs it.
 * @public
 */
export interface SgtAttachment {
  readonly dev: Device;
  /** The buffer's reservation, whose lock must be held (else a violation `phys-vec-lock-needed`); default: not looked at. */
  readonly resv?: DmaResv;
  readonly linuxQuirks?: LinuxQuirks;
  /** Asked before each allocation of so many bytes but entry arrays; false makes it fail. Default: all succeed. */
  readonly allocate?: (bytes: number) => boolean;
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
  /** Bytes linked, for route `iova`. */
  linked = 0;

  constructor(attach: SgtAttachment, route: SgtRoute, state: DmaIovaState) {
    super(null, attach.sgArrays ?? new SgHeap());
    this.route = route;
    this.state = state;
  }
}
