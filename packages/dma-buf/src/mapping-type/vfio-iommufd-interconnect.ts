// The private door between VFIO and iommufd as a kind of mapping: the one physical range of a buffer, handed over without a
// reference; iommufd stops its access inside its invalidate callback.
// Source followed: vfio_pci_dma_buf_iommufd_map in drivers/vfio/pci/vfio_pci_dmabuf.c, which 7.3.4 reaches by symbol_get; the
// RFC's recipe for private interconnects.
// Simplified: none.

import type { Outcome } from '@sgfree/mm';
import type { DmaBufAttachment } from '../buffer/dma-buf-attachment.ts';
import type { PhysVec } from '../phys-vec.ts';
import { type PrivateInterconnect, privateInterconnect } from './private-interconnect.ts';

/**
 * What VFIO does at this door, with the reservation lock held.
 * @alpha
 */
export interface VfioIommufdExpOps {
  /** -EOPNOTSUPP for several ranges, -ENODEV while the memory is taken back. */
  iommufdMap(attach: DmaBufAttachment<unknown>): Outcome<PhysVec>;
}

/**
 * The kind that VFIO and iommufd share.
 * @alpha
 */
export const vfioIommufdInterconnect: PrivateInterconnect<VfioIommufdExpOps> =
  privateInterconnect<VfioIommufdExpOps>('VFIO to iommufd');
