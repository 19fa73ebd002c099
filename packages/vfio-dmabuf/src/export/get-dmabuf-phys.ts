// Where the bytes of a region lie: the hook of the variant driver, and what ordinary devices answer.
// Source followed: vfio_pci_core_get_dmabuf_phys and vfio_pci_core_fill_phys_vec in drivers/vfio/pci/vfio_pci_dmabuf.c.
// Simplified: none.

import type { PhysVec } from '@sgfree/dma-buf';
import { type PhysAddr, physAddr, rawOffset } from '@sgfree/hw-model';
import { Errno, failure, type Outcome, success } from '@sgfree/mm';
import { pcimP2pdmaProvider, pciResourceLen, pciResourceStart } from '@sgfree/p2p';
import type { VfioPciDevice } from '../device/vfio-pci-device.ts';
import type { VfioPhysRanges } from './vfio-pci-dma-buf.ts';

/**
 * A slice of a region, in bytes; multiples of the page size up to 2^64.
 * @kernel vfio_region_dma_range
 * @public
 */
export interface VfioRegionDmaRange {
  readonly offset: number;
  readonly length: number;
}

/**
 * A variant driver's answer: provider and physical ranges of slices of a region.
 * @public
 */
export type VfioGetDmabufPhys = (
  vdev: VfioPciDevice,
  regionIndex: number,
  ranges: readonly VfioRegionDmaRange[],
) => Outcome<VfioPhysRanges>;

const SPACE_END = 2 ** 64;

/**
 * The slices in a BAR. -EINVAL (no memory BAR, must not be mapped, a slice outside it), -EOVERFLOW.
 * @kernel vfio_pci_core_get_dmabuf_phys
 * @public
 */
export const vfioPciCoreGetDmabufPhys: VfioGetDmabufPhys = (vdev, regionIndex, ranges) => {
  const provider = pcimP2pdmaProvider(vdev.pdev, regionIndex);
  const start = pciResourceStart(vdev.pdev, regionIndex);
  if (provider === null || start === null) return failure(Errno.EINVAL);
  const filled = vfioPciCoreFillPhysVec(ranges, start, pciResourceLen(vdev.pdev, regionIndex));
  return filled.ok ? success({ provider, physVec: filled.value }) : filled;
};

/**
 * Slices of the `len` bytes from `start` on as physical ranges, in order; the first one that is wrong decides: -EINVAL
 * (empty, beyond the end), -EOVERFLOW.
 * @kernel vfio_pci_core_fill_phys_vec
 * @public
 */
export function vfioPciCoreFillPhysVec(
  ranges: readonly VfioRegionDmaRange[],
  start: PhysAddr,
  len: number,
): Outcome<PhysVec[]> {
  const physVec: PhysVec[] = [];
  for (const { offset, length } of ranges) {
    if (length === 0) return failure(Errno.EINVAL);
    const first = rawOffset(start, offset);
    if (first >= SPACE_END || first + length >= SPACE_END) return failure(Errno.EOVERFLOW);
    if (offset + length > len) return failure(Errno.EINVAL);
    physVec.push({ paddr: physAddr(first), len: length });
  }
  return success(physVec);
}
