// NvmeIod: what the driver keeps for one command between submission and completion, whatever maps its data.
// Source followed: drivers/nvme/host/pci.c (struct nvme_iod, IOD_* flags).
// Simplified: no metadata; what belongs to one way of mapping is added by the class that maps.

import type { DmaAddr } from '@sgfree/hw-model';
import type { BlockRequest } from '../block-request.ts';
import type { CoherentBlock } from './dma-pool.ts';
import { NvmeSubmissionEntry } from './submission-entry.ts';

/**
 * Per-command state common to all stages.
 * @public
 */
export class NvmeIod {
  readonly request: BlockRequest;
  readonly entry: NvmeSubmissionEntry = new NvmeSubmissionEntry();
  /** Descriptor blocks in chain order (`descriptors`). */
  readonly descriptors: CoherentBlock[] = [];
  /** `IOD_SMALL_DESCRIPTOR`: the only descriptor is a small block. */
  smallDescriptor = false;
  /** `IOD_SINGLE_SEGMENT`: one dma_map_phys, undone with the address in the data pointer. */
  singleSegment = false;
  /** Bytes mapped so far (`total_len`). */
  totalBytes = 0;
  /** DMA ranges that mapping this command's data handed out. */
  dmaRangesOut = 0;

  constructor(request: BlockRequest) {
    this.request = request;
  }
}

/**
 * A stretch of DMA addresses.
 * @public
 */
export interface DmaRange {
  readonly addr: DmaAddr;
  readonly bytes: number;
}
