// Finalising a mapped scatterlist: entries get their offsets and lengths back, and from the front on the list is filled
// with DMA segments, neighbours merged where the device allows it.
// Source followed: drivers/iommu/dma-iommu.c (__finalise_sg).
// Kept from Linux: the room left in a segment is an unsigned difference, so that once an entry alone exceeds the
// device's limit everything aligned behind it is merged (sg-merge-wrap); after padding a segment always ends
// (sg-pad-breaks-merge).
// Simplified: none.

import { type Device, DMA_MAPPING_ERROR } from '@sgfree/dma-core';
import { sgDmaIsBusAddress, sgDmaMarkBusAddress, sgDmaUnmarkBusAddress } from './peer-bus-address.ts';
import type { Scatterlist } from './scatterlist.ts';
import { boundaryWindow, isBoundary } from './segment-limits.ts';

/**
 * Turns the layout that was mapped from `dmaAddr` on into DMA segments and returns their number. Entries behind the last
 * segment have DMA address -1 and length 0.
 * @internal
 * @kernel __finalise_sg
 */
export function __finaliseSg(dev: Device, sg: Scatterlist, nents: number, dmaAddr: number): number {
  const { offset, length, dmaAddress, dmaLength } = sg;
  const window = boundaryWindow(dev);
  const { maxSegmentSize } = dev;
  let address = dmaAddr;
  let current = 0;
  let currentBytes = 0;
  let count = 0;
  for (let s = 0; s < nents; s += 1) {
    const stashed = dmaAddress[s] as number;
    const bytes = dmaLength[s] as number;
    const mapped = length[s] as number;
    dmaAddress[s] = DMA_MAPPING_ERROR;
    dmaLength[s] = 0;
    if (sgDmaIsBusAddress(sg, s)) {
      if (s > 0) current += 1;
      sgDmaUnmarkBusAddress(sg, s);
      dmaAddress[current] = stashed;
      dmaLength[current] = bytes;
      sgDmaMarkBusAddress(sg, current);
      count += 1;
      currentBytes = 0;
      continue;
    }
    offset[s] = (offset[s] as number) + stashed;
    length[s] = bytes;
    if (
      currentBytes !== 0 &&
      stashed === 0 &&
      !isBoundary(address, window) &&
      (maxSegmentSize - currentBytes) >>> 0 >= bytes
    ) {
      currentBytes = (currentBytes + bytes) >>> 0;
    } else {
      if (s > 0) current += 1;
      currentBytes = bytes;
      count += 1;
      dmaAddress[current] = address + stashed;
    }
    dmaLength[current] = currentBytes;
    address += mapped;
    // A hole behind the data: the next entry does not continue it.
    if (stashed + bytes < mapped) currentBytes = 0;
  }
  return count;
}
