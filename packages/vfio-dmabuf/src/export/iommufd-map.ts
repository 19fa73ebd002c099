// The private door between VFIO and iommufd: the physical range behind a buffer, without a mapping.
// Source followed: vfio_pci_dma_buf_iommufd_map in drivers/vfio/pci/vfio_pci_dmabuf.c.
// No reference is taken and nothing is given back: iommufd stops its access inside its invalidate callback, so that the
// exporter's wait for mappings never waits for it.
// Simplified: none.

import { type DmaBufAttachment, dmaResvAssertHeld, type PhysVec } from '@sgfree/dma-buf';
import { Errno, failure, type Outcome, success } from '@sgfree/mm';
import { VfioPciDmaBuf } from './vfio-pci-dma-buf.ts';

/**
 * The one range of an attached buffer, with the reservation lock held: device memory, contiguous, and gone when the
 * importer is told so. -EOPNOTSUPP (not a buffer of VFIO, several ranges), -ENODEV (taken back).
 * @kernel vfio_pci_dma_buf_iommufd_map
 * @public
 */
export function vfioPciDmaBufIommufdMap<M>(attach: DmaBufAttachment<M>): Outcome<PhysVec> {
  const { resv, priv } = attach.dmabuf;
  dmaResvAssertHeld(resv, 'vfio-iommufd-map-lock');
  if (!(priv instanceof VfioPciDmaBuf)) return failure(Errno.EOPNOTSUPP);
  if (priv.revoked) return failure(Errno.ENODEV);
  const [only] = priv.physVec;
  if (only === undefined || priv.physVec.length !== 1) return failure(Errno.EOPNOTSUPP);
  return success({ paddr: only.paddr, len: only.len });
}
