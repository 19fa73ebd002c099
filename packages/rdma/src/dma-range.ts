// DmaRange: a run of bytes as a device sees it; registrations take streams of these.
// Source followed: the (address, length) pairs that RDMA's walkers of DMA entries look at (core/iter.c, core/umem.c).
// Simplified: no page, no CPU view, no flags.

import type { DmaAddr } from '@sgfree/hw-model';

/**
 * A contiguous range of DMA addresses.
 * @public
 */
export interface DmaRange {
  readonly address: DmaAddr;
  readonly bytes: number;
}
