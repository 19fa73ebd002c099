// Scatterlists on the direct map: each entry becomes a segment of its own at its physical address; nothing is merged.
// Source followed: kernel/dma/direct.c (dma_direct_map_sg, dma_direct_unmap_sg, dma_direct_sync_sg_for_cpu,
// dma_direct_sync_sg_for_device).
// A non-coherent device looks after its caches entry by entry and waits for them once, at the end of the list. An entry
// without address (its mapping failed) is left alone, silently as in Linux.
// Simplified: none.

import {
  type Device,
  DMA_MAPPING_ERROR,
  type DmaAttrs,
  type DmaDataDirection,
  dmaDirectMapPhys,
  dmaDirectSyncSingleForCpu,
  dmaDirectSyncSingleForDevice,
  dmaDirectUnmapPhys,
  needsCacheSync,
  P2pdmaMapState,
  pciP2pdmaState,
} from '@sgfree/dma-core';
import { dmaAddr } from '@sgfree/hw-model';
import { Errno } from '@sgfree/mm';
import { mapBusAddress, sgDmaIsBusAddress, sgDmaUnmarkBusAddress } from './peer-bus-address.ts';
import { type Scatterlist, sgPhys } from './scatterlist.ts';

/**
 * Maps the first `nents` entries one to one. Returns `nents`, -EREMOTEIO (a peer out of reach) or -EIO (an entry could
 * not be mapped), with nothing left mapped.
 * @internal
 * @kernel dma_direct_map_sg
 */
export function dmaDirectMapSg(
  dev: Device,
  sgl: Scatterlist,
  nents: number,
  dir: DmaDataDirection,
  attrs: DmaAttrs,
): number {
  const state = new P2pdmaMapState();
  let cached = false;
  for (let sg = 0; sg < nents; sg += 1) {
    const mapType = pciP2pdmaState(state, dev, sgl.pageFrame[sg] as number);
    if (mapType === 'bus-addr') {
      mapBusAddress(dev, sgl, sg, state);
      continue;
    }
    if (mapType === 'not-supported') return undo(dev, sgl, sg, dir, attrs, -Errno.EREMOTEIO);
    const bytes = sgl.length[sg] as number;
    const address = dmaDirectMapPhys(dev, sgPhys(sgl, sg), bytes, dir, attrs, false);
    sgl.dmaAddress[sg] = address;
    if (address === DMA_MAPPING_ERROR) return undo(dev, sgl, sg, dir, attrs, -Errno.EIO);
    sgl.dmaLength[sg] = bytes;
    cached = true;
  }
  if (cached && needsCacheSync(dev, attrs)) dev.platform.cache?.flush();
  return nents;
}

function undo(
  dev: Device,
  sgl: Scatterlist,
  nents: number,
  dir: DmaDataDirection,
  attrs: DmaAttrs,
  errno: number,
): number {
  dmaDirectUnmapSg(dev, sgl, nents, dir, { ...attrs, skipCpuSync: true });
  return errno;
}

/**
 * Undoes {@link dmaDirectMapSg}.
 * @internal
 * @kernel dma_direct_unmap_sg
 */
export function dmaDirectUnmapSg(
  dev: Device,
  sgl: Scatterlist,
  nents: number,
  dir: DmaDataDirection,
  attrs: DmaAttrs,
): void {
  let cached = false;
  for (let sg = 0; sg < nents; sg += 1) {
    if (sgDmaIsBusAddress(sgl, sg)) {
      sgDmaUnmarkBusAddress(sgl, sg);
    } else if (hasAddress(sgl, sg)) {
      dmaDirectUnmapPhys(dev, segmentAddress(sgl, sg), sgl.dmaLength[sg] as number, dir, attrs, false);
      cached = true;
    }
  }
  if (cached && needsCacheSync(dev, attrs)) dev.platform.cache?.flush();
}

/**
 * Makes what the device wrote visible to the CPU.
 * @internal
 * @kernel dma_direct_sync_sg_for_cpu
 */
export function dmaDirectSyncSgForCpu(
  dev: Device,
  sgl: Scatterlist,
  nents: number,
  dir: DmaDataDirection,
): void {
  for (let sg = 0; sg < nents; sg += 1) {
    if (!hasAddress(sgl, sg)) continue;
    dmaDirectSyncSingleForCpu(dev, segmentAddress(sgl, sg), sgl.length[sg] as number, dir, false);
  }
  if (!dev.dmaCoherent) dev.platform.cache?.flush();
}

/**
 * Makes what the CPU wrote visible to the device.
 * @internal
 * @kernel dma_direct_sync_sg_for_device
 */
export function dmaDirectSyncSgForDevice(
  dev: Device,
  sgl: Scatterlist,
  nents: number,
  dir: DmaDataDirection,
): void {
  for (let sg = 0; sg < nents; sg += 1) {
    if (!hasAddress(sgl, sg)) continue;
    dmaDirectSyncSingleForDevice(dev, segmentAddress(sgl, sg), sgl.length[sg] as number, dir, false);
  }
  if (!dev.dmaCoherent) dev.platform.cache?.flush();
}

/** False for an entry whose mapping failed. */
const hasAddress = (sgl: Scatterlist, sg: number): boolean => sgl.dmaAddress[sg] !== DMA_MAPPING_ERROR;

const segmentAddress = (sgl: Scatterlist, sg: number) => dmaAddr(sgl.dmaAddress[sg] as number);
