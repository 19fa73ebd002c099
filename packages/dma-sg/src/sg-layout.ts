// The layout of a scatterlist in one IOVA range, decided before there is an address: each entry is widened to whole
// granules, and where the next one would cross a segment boundary the entry before it is padded up to the boundary.
// Source followed: drivers/iommu/dma-iommu.c (the loop of iommu_dma_map_sg, __invalidate_sg).
// Kept from Linux: padding makes the mapping longer than the buffer, so that what lies behind it is mapped too
// (sg-boundary-padding); restoring takes the DMA fields of entries that were never reached for stashed originals, so
// that a list mapped before comes back corrupted (sg-remap-corruption).
// Simplified: none.

import { type Device, DMA_MAPPING_ERROR, P2pdmaMapState, pciP2pdmaState } from '@sgfree/dma-core';
import { Errno } from '@sgfree/mm';
import { mapBusAddress } from './peer-bus-address.ts';
import { type Scatterlist, SG_DMA_BUS_ADDRESS } from './scatterlist.ts';
import { boundaryWindow, bytesToBoundary, UINT_MAX } from './segment-limits.ts';

/**
 * Lays `nents` entries out and stashes their offsets within a granule and their lengths in the DMA fields. Entries of
 * peers that are reached by bus address are finished here and take no IOVA.
 * Returns the bytes of IOVA needed (0 when all are bus addresses), -EREMOTEIO for a peer out of reach, -EOVERFLOW when an
 * entry grows beyond 32 bits; after an error the list is half way and wants `__invalidateSg`.
 * @internal
 */
export function layoutSg(dev: Device, sg: Scatterlist, nents: number, granule: number): number {
  const { pageFrame, offset, length, dmaAddress, dmaLength } = sg;
  const window = boundaryWindow(dev);
  const state = new P2pdmaMapState();
  let iovaBytes = 0;
  let previous = -1;
  for (let s = 0; s < nents; s += 1) {
    const mapType = pciP2pdmaState(state, dev, pageFrame[s] as number);
    if (mapType === 'not-supported') return -Errno.EREMOTEIO;
    if (mapType === 'bus-addr') {
      mapBusAddress(dev, sg, s, state);
      continue;
    }
    const start = offset[s] as number;
    const stashed = start - Math.floor(start / granule) * granule;
    const bytes = length[s] as number;
    dmaAddress[s] = stashed;
    dmaLength[s] = bytes;
    offset[s] = start - stashed;
    const mapped = Math.ceil((bytes + stashed) / granule) * granule;
    if (mapped > UINT_MAX) return -Errno.EOVERFLOW;
    length[s] = mapped;
    const pad = bytesToBoundary(iovaBytes, window);
    // `pad < mapped - 1` in u64: an empty entry makes the right side huge.
    if (pad !== 0 && (mapped === 0 || pad < mapped - 1)) {
      const padded = (length[previous] as number) + pad;
      if (padded > UINT_MAX) return -Errno.EOVERFLOW;
      length[previous] = padded;
      iovaBytes += pad;
    }
    iovaBytes += mapped;
    previous = s;
  }
  return iovaBytes;
}

/**
 * Gives the entries of a failed mapping their offsets and lengths back and marks them unmapped.
 * @internal
 * @kernel __invalidate_sg
 */
export function __invalidateSg(sg: Scatterlist, nents: number): void {
  const { offset, length, dmaAddress, dmaLength, dmaFlags } = sg;
  for (let s = 0; s < nents; s += 1) {
    if (((dmaFlags[s] as number) & SG_DMA_BUS_ADDRESS) !== 0) {
      dmaFlags[s] = (dmaFlags[s] as number) & ~SG_DMA_BUS_ADDRESS;
    } else {
      const stashed = dmaAddress[s] as number;
      const bytes = dmaLength[s] as number;
      if (stashed !== DMA_MAPPING_ERROR) offset[s] = (offset[s] as number) + stashed;
      if (bytes !== 0) length[s] = bytes;
    }
    dmaAddress[s] = DMA_MAPPING_ERROR;
    dmaLength[s] = 0;
  }
}
