// DmaRangeSource: the DMA ranges of a request one after the other, so that PRPs and SGLs are built the same way from
// a scatterlist and from the block layer's iterator.
// Source followed: the loops of nvme_pci_setup_data_prp and nvme_pci_setup_data_sgl in drivers/nvme/host/pci.c.
// Simplified: none; it is an interface.

import type { DmaAddr } from '@sgfree/hw-model';
import type { BlkStatus } from '../blk-status.ts';

/**
 * Stands on one DMA range at a time.
 * @public
 */
export interface DmaRangeSource {
  /** Start of the current range. */
  readonly addr: DmaAddr;
  /** Bytes of the current range. */
  readonly bytes: number;
  /** Why `next` returned false; 'ok' at the regular end. */
  readonly status: BlkStatus;
  /** Maps or looks up the next range; false when there is none. */
  next(): boolean;
}
