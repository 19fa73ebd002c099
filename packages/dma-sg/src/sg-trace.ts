// Trace events of scatterlist mappings, as data in the event log.
// Source followed: include/trace/events/dma.h (dma_map_sg, dma_map_sg_err, dma_unmap_sg, dma_sync_sg).
// dma_map_sg holds at most 128 elements a list and says how many there were; the others are not cut. dma_map_sg_err
// names physical addresses dma_addrs, as the kernel does.
// Simplified: the text of the events is the printer's business.

import {
  attrsTraceName,
  type Device,
  type DmaAttrs,
  type DmaDataDirection,
  directionTraceName,
} from '@sgfree/dma-core';
import { PAGE_SIZE } from '@sgfree/hw-model';
import type { Scatterlist } from './scatterlist.ts';

const TRACED_AT_MOST = 128;

function physicalAddresses(sg: Scatterlist, nents: number): number[] {
  return Array.from(
    { length: nents },
    (_, at) => (sg.pageFrame[at] as number) * PAGE_SIZE + (sg.offset[at] as number),
  );
}

/** Posts `dma:dma_map_sg`: `nents` entries became `ents` segments. */
export function traceDmaMapSg(
  dev: Device,
  sg: Scatterlist,
  nents: number,
  ents: number,
  dir: DmaDataDirection,
  attrs: DmaAttrs,
): void {
  const tracedNents = Math.min(nents, TRACED_AT_MOST);
  const tracedEnts = Math.min(ents, TRACED_AT_MOST);
  dev.log.post({
    kind: 'dma:dma_map_sg',
    device: dev.name,
    dir: directionTraceName(dir),
    nents: tracedNents,
    fullNents: nents,
    ents: tracedEnts,
    fullEnts: ents,
    truncated: nents > TRACED_AT_MOST || ents > TRACED_AT_MOST,
    dmaAddrs: [...sg.dmaAddress.subarray(0, tracedEnts)],
    sizes: [...sg.dmaLength.subarray(0, tracedEnts)],
    physAddrs: physicalAddresses(sg, tracedNents),
    attrs: attrsTraceName(attrs),
  });
}

/** Posts `dma:dma_map_sg_err`: the backend answered `err`. */
export function traceDmaMapSgErr(
  dev: Device,
  sg: Scatterlist,
  nents: number,
  err: number,
  dir: DmaDataDirection,
  attrs: DmaAttrs,
): void {
  dev.log.post({
    kind: 'dma:dma_map_sg_err',
    device: dev.name,
    dir: directionTraceName(dir),
    dmaAddrs: physicalAddresses(sg, nents),
    err,
    attrs: attrsTraceName(attrs),
  });
}

/** Posts `dma:dma_unmap_sg`, before the unmapping. */
export function traceDmaUnmapSg(
  dev: Device,
  sg: Scatterlist,
  nents: number,
  dir: DmaDataDirection,
  attrs: DmaAttrs,
): void {
  dev.log.post({
    kind: 'dma:dma_unmap_sg',
    device: dev.name,
    dir: directionTraceName(dir),
    physAddrs: physicalAddresses(sg, nents),
    attrs: attrsTraceName(attrs),
  });
}

/** Posts one of the two sync events. */
export function traceDmaSyncSg(
  kind: 'dma:dma_sync_sg_for_cpu' | 'dma:dma_sync_sg_for_device',
  dev: Device,
  sg: Scatterlist,
  nelems: number,
  dir: DmaDataDirection,
): void {
  dev.log.post({
    kind,
    device: dev.name,
    dir: directionTraceName(dir),
    dmaAddrs: [...sg.dmaAddress.subarray(0, nelems)],
    sizes: [...sg.dmaLength.subarray(0, nelems)],
  });
}
