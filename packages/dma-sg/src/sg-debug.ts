// The checker's loops over a list: it takes addresses and lengths, never a list, so the list is walked here.
// Source followed: kernel/dma/debug.c (debug_dma_map_sg, debug_dma_unmap_sg, debug_dma_sync_sg_for_cpu,
// debug_dma_sync_sg_for_device). How many segments a list was mapped to is asked of the checker by the first one; without
// an answer an unmapping tries every entry and a sync none, about which Linux says nothing.
// Simplified: no struct page is counted for what only the checker looks at.

import {
  type DebugSegment,
  type Device,
  DMA_MAPPING_ERROR,
  type DmaAttrs,
  type DmaDataDirection,
  debugSgEntryMemory,
  debugSgSegmentMapped,
  debugSgSegmentSynced,
  debugSgSegmentUnmapped,
  debugSgSyncUnknown,
  getNrMappedEntries,
} from '@sgfree/dma-core';
import { type PhysAddr, physOfFrame } from '@sgfree/hw-model';
import type { Scatterlist } from './scatterlist.ts';

const physOf = (sg: Scatterlist, s: number): PhysAddr =>
  physOfFrame(sg.pageFrame[s] as number, sg.offset[s] as number);

const segmentOf = (sg: Scatterlist, s: number, nents: number, direction: DmaDataDirection): DebugSegment => ({
  address: sg.dmaAddress[s] as number,
  size: sg.dmaLength[s] as number,
  direction,
  entryCount: nents,
});

/**
 * `nents` entries were mapped to `mappedEnts` segments.
 * @internal
 * @kernel debug_dma_map_sg
 */
export function debugDmaMapSg(
  dev: Device,
  sg: Scatterlist,
  nents: number,
  mappedEnts: number,
  direction: DmaDataDirection,
  attrs: DmaAttrs,
): void {
  for (let s = 0; s < nents; s += 1) debugSgEntryMemory(dev, physOf(sg, s), sg.length[s] as number);
  for (let s = 0; s < mappedEnts; s += 1) {
    const segment = segmentOf(sg, s, nents, direction);
    const length = sg.length[s] as number;
    const tracked = debugSgSegmentMapped(dev, segment, mappedEnts, physOf(sg, s), length, attrs);
    if (!tracked) return;
  }
}

/**
 * The first `nelems` entries are about to be unmapped.
 * @internal
 * @kernel debug_dma_unmap_sg
 */
export function debugDmaUnmapSg(
  dev: Device,
  sg: Scatterlist,
  nelems: number,
  dir: DmaDataDirection,
  attrs: DmaAttrs,
): void {
  const walked = Math.min(nelems, sg.entryCount);
  if (walked === 0) return;
  const mapped = getNrMappedEntries(dev, segmentOf(sg, 0, nelems, dir));
  const last = mapped === 0 ? walked : Math.min(walked, mapped);
  for (let s = 0; s < last; s += 1) debugSgSegmentUnmapped(dev, segmentOf(sg, s, nelems, dir), attrs);
}

/**
 * The first `nelems` entries were synced for the CPU.
 * @internal
 * @kernel debug_dma_sync_sg_for_cpu
 */
export const debugDmaSyncSgForCpu = (
  dev: Device,
  sg: Scatterlist,
  nelems: number,
  direction: DmaDataDirection,
): void => syncSegments(dev, sg, nelems, direction, true);

/**
 * The first `nelems` entries were synced for the device.
 * @internal
 * @kernel debug_dma_sync_sg_for_device
 */
export const debugDmaSyncSgForDevice = (
  dev: Device,
  sg: Scatterlist,
  nelems: number,
  direction: DmaDataDirection,
): void => syncSegments(dev, sg, nelems, direction, false);

function syncSegments(
  dev: Device,
  sg: Scatterlist,
  nelems: number,
  direction: DmaDataDirection,
  toCpu: boolean,
): void {
  const walked = Math.min(nelems, sg.entryCount);
  if (walked === 0) return;
  const first = segmentOf(sg, 0, nelems, direction);
  const mapped = getNrMappedEntries(dev, first);
  if (mapped === 0 && first.address !== DMA_MAPPING_ERROR) debugSgSyncUnknown(dev, first);
  for (let s = 0; s < Math.min(walked, mapped); s += 1) {
    debugSgSegmentSynced(dev, segmentOf(sg, s, nelems, direction), toCpu);
  }
}
