// RequestClass: how the block layer of Linux 7.3.4 will map a request behind an IOMMU, known from its shape alone.
// Source followed: block/blk-mq-dma.c (blk_can_dma_map_iova) and drivers/nvme/host/pci.c (nvme_pci_setup_data_simple);
// the recorded NVMe I/O shows the same three classes.
// Simplified: peer-to-peer requests have no class here.

import type { BlockRequest } from './block-request.ts';
import { reqPhysGapMask } from './block-request.ts';

/**
 * `single`: one bio_vec, one dma_map_phys. `two-step`: no inner junction finer than the IOMMU granule, one IOVA range.
 * `per-segment`: gaps inside, one dma_map_phys per physically contiguous run.
 * @public
 */
export type RequestClass = 'single' | 'two-step' | 'per-segment';

/**
 * The class of a request on a device with this merge boundary (`dma_get_merge_boundary`: granule - 1, 0 = no IOMMU).
 * @public
 */
export function requestClassOf(request: BlockRequest, mergeBoundary: number): RequestClass {
  if (request.physicalSegments === 1) return 'single';
  if (mergeBoundary === 0 || reqPhysGapMask(request, mergeBoundary) !== 0) return 'per-segment';
  return 'two-step';
}
