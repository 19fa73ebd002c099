// The doors of a VFIO buffer for iommufd: a list that is mapped and given back, a list that only the core sees, or the private
// interconnect.
// Source followed: the RFC's VFIO conversion (a copy of the ranges for each map), vfio_pci_dma_buf_iommufd_map of 7.3.4.
// A list counts as a mapping: a revoke waits until it is given back, which iommufd does inside its invalidate callback;
// of domain windows each has a list of its own.
// Simplified: none.

import {
  convertedExporterMatch,
  type DmaBufAttachment,
  type DmaBufMappingMatch,
  type DmaBufPhysList,
  palExporterMatch,
  vfioIommufdInterconnect,
} from '@sgfree/dma-buf';
import type { ModelTask, YieldPoint } from '@sgfree/hw-model';
import { Errno, failure, type Outcome, success } from '@sgfree/mm';
import { privOf } from '../export/exporter-ops.ts';
import { vfioPciDmaBufIommufdMap } from '../export/iommufd-map.ts';

const MAP: YieldPoint = { at: 'vfio:map-phys' };
const UNMAP: YieldPoint = { at: 'vfio:unmap-phys' };
const PHYS_LIST_BYTES = { head: 8, entry: 16 } as const;

/** -ENODEV while the memory is taken back, -ENOMEM. */
function* mapPhys(attach: DmaBufAttachment<DmaBufPhysList>): ModelTask<Outcome<DmaBufPhysList>> {
  yield MAP;
  const { dmabuf } = attach;
  const priv = privOf(dmabuf);
  if (priv.revoked) return failure(Errno.ENODEV);
  const { physVec } = priv;
  if (!dmabuf.platform.allocate(PHYS_LIST_BYTES.head + physVec.length * PHYS_LIST_BYTES.entry)) {
    return failure(Errno.ENOMEM);
  }
  priv.get();
  return success({ phys: physVec.map(({ paddr, len }) => ({ paddr, len })) });
}

function* unmapPhys(attach: DmaBufAttachment<DmaBufPhysList>): ModelTask<void> {
  yield UNMAP;
  privOf(attach.dmabuf).put();
}

/** The RFC's offer. @internal */
export const physListOffer: DmaBufMappingMatch = palExporterMatch({ mapPhys, unmapPhys });

/** The offer of our own, after the RFC's review: the core shows the memory in a domain. @internal */
export const domainWindowOffer: DmaBufMappingMatch = convertedExporterMatch({ mapPhys, unmapPhys });

/** The offer of 7.3.4's private door. @internal */
export const interconnectOffer: DmaBufMappingMatch = vfioIommufdInterconnect.exporterMatch({
  iommufdMap: vfioPciDmaBufIommufdMap,
});
