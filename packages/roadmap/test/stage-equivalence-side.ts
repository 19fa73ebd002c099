// The two ways of the first stages to map a list of memory ranges for a device, each on a domain of its own behind one
// VT-d unit: dma_map_sg over a scatterlist, or the two-step API as the block layer uses it.
// Simplified: ranges are not joined beforehand; a list with gaps inside pages is mapped range by range at stage 1.

import {
  type Device,
  DMA_MAPPING_ERROR,
  type DmaDataDirection,
  DmaPlatform,
  dmaBitMask,
  dmaGetMergeBoundary,
  dmaMapPhys,
  dmaSetMask,
  dmaSetMaxSegSize,
  dmaUnmapPhys,
  iommuGetDmaCookie,
  iommuSetupDmaOps,
  NO_ATTRS,
  pciDevice,
} from '@sgfree/dma-core';
import { DmaIovaState, dmaIovaDestroy, dmaIovaLink, dmaIovaSync, dmaIovaTryAlloc } from '@sgfree/dma-iova';
import { dmaMapSgtable, dmaUnmapSgtable, SgTable, sgInitTable, sgSetPage } from '@sgfree/dma-sg';
import {
  addOffset,
  type DmaAddr,
  dmaAddr,
  frameOf,
  offsetWithin,
  PAGE_SIZE,
  type PhysAddr,
  PhysicalMemory,
  physAddr,
  recordedVtdCapabilities,
  VtdUnit,
} from '@sgfree/hw-model';
import { IntelIommu, type PagingDomain } from '@sgfree/iommu';
import { FrameAllocator } from '@sgfree/mm';

/** Memory to be mapped. */
export interface MemoryRange {
  readonly phys: PhysAddr;
  readonly bytes: number;
}

/** One piece of a mapping: where the device finds which memory. */
export interface HandedOut {
  readonly address: DmaAddr;
  readonly phys: PhysAddr;
  readonly bytes: number;
}

/** A live mapping. */
export interface LiveMapping {
  readonly pieces: readonly HandedOut[];
  /** IOVA ranges it holds. */
  readonly ranges: number;
  readonly dir: DmaDataDirection;
  undo(): void;
}

/** One stage on its own domain; `map` answers null when the mapping failed. */
export interface StageSide {
  readonly name: string;
  readonly dev: Device;
  readonly domain: PagingDomain;
  map(ranges: readonly MemoryRange[], dir: DmaDataDirection): LiveMapping | null;
  liveRanges(): number;
  /** What the hardware makes of an access; -1 = blocked. */
  translate(address: DmaAddr, write: boolean): PhysAddr | -1;
}

const MIB = 2 ** 20;

/** A machine with one unit; `side(0)` and `side(1)` are the stages. */
export function equivalenceMachine() {
  const memory = new PhysicalMemory();
  const ram = { base: physAddr(0), bytes: 256 * MIB };
  memory.addRam(ram.base, ram.bytes);
  const frames = new FrameAllocator(memory, ram);
  const unit = new VtdUnit(memory, { capabilities: recordedVtdCapabilities });
  const iommu = new IntelIommu({ unit, memory, frames });
  const platform = new DmaPlatform({ memory });
  const side = (stage: 0 | 1): StageSide => {
    const requesterId = 0x100 * (stage + 1);
    const reservedRegions = iommu.reservedRegions(requesterId);
    const dev = pciDevice({ name: `stage ${stage}`, platform, requesterId, reservedRegions });
    const domain = iommu.allocPagingDomain(stage + 1);
    iommu.attachDevice(domain, requesterId);
    iommuSetupDmaOps(dev, domain);
    dmaSetMask(dev, dmaBitMask(64));
    dmaSetMaxSegSize(dev, 0xffffffff);
    return {
      name: dev.name,
      dev,
      domain,
      map: (ranges, dir) => (stage === 0 ? mapList(dev, ranges, dir) : mapTwoStep(dev, ranges, dir)),
      liveRanges: () => iommuGetDmaCookie(domain).iovad.liveRanges,
      translate: (address, write) => unit.translate(requesterId, address, write),
    };
  };
  return { frames, iommu, side, pagesAtStart: frames.liveFrames };
}

function mapList(dev: Device, ranges: readonly MemoryRange[], dir: DmaDataDirection): LiveMapping | null {
  const table = new SgTable();
  sgInitTable(table.list, ranges.length);
  table.segmentCount = ranges.length;
  for (const [sg, { phys, bytes }] of ranges.entries()) {
    sgSetPage(table.list, sg, frameOf(phys), bytes, offsetWithin(phys, PAGE_SIZE));
  }
  if (dmaMapSgtable(dev, table, dir, NO_ATTRS) !== 0) return null;
  return {
    pieces: piecesOf(table, ranges),
    ranges: 1,
    dir,
    undo: () => dmaUnmapSgtable(dev, table, dir, NO_ATTRS),
  };
}

/** Follows the bytes of the ranges through the DMA segments. */
function piecesOf(table: SgTable, ranges: readonly MemoryRange[]): HandedOut[] {
  const { dmaAddress, dmaLength } = table.list;
  const pieces: HandedOut[] = [];
  let segment = 0;
  let used = 0;
  for (const { phys, bytes } of ranges) {
    for (let done = 0; done < bytes; ) {
      const length = Math.min(bytes - done, (dmaLength[segment] as number) - used);
      const address = addOffset(dmaAddr(dmaAddress[segment] as number), used);
      pieces.push({ address, phys: addOffset(phys, done), bytes: length });
      done += length;
      used += length;
      if (used < (dmaLength[segment] as number)) continue;
      segment += 1;
      used = 0;
    }
  }
  if (segment !== table.mappedCount) throw new RangeError('segments hold more than the list');
  return pieces;
}

/** True when every junction between the ranges lies on the boundary. */
export function coalesces(ranges: readonly MemoryRange[], mergeBoundary: number): boolean {
  return ranges.every(({ phys, bytes }, at) => {
    const granule = mergeBoundary + 1;
    const starts = at === 0 || offsetWithin(phys, granule) === 0;
    const ends = at === ranges.length - 1 || offsetWithin(addOffset(phys, bytes), granule) === 0;
    return starts && ends;
  });
}

function mapTwoStep(dev: Device, ranges: readonly MemoryRange[], dir: DmaDataDirection): LiveMapping | null {
  if (!coalesces(ranges, dmaGetMergeBoundary(dev))) return mapEach(dev, ranges, dir);
  const state = new DmaIovaState();
  const total = ranges.reduce((sum, { bytes }) => sum + bytes, 0);
  const [first] = ranges;
  if (first === undefined || !dmaIovaTryAlloc(dev, state, first.phys, total)) return null;
  let linked = 0;
  const pieces: HandedOut[] = [];
  for (const { phys, bytes } of ranges) {
    if (dmaIovaLink(dev, state, phys, linked, bytes, dir, NO_ATTRS) !== 0) {
      dmaIovaDestroy(dev, state, linked, dir, NO_ATTRS);
      return null;
    }
    pieces.push({ address: addOffset(state.addr, linked), phys, bytes });
    linked += bytes;
  }
  dmaIovaSync(dev, state, 0, linked);
  return { pieces, ranges: 1, dir, undo: () => dmaIovaDestroy(dev, state, linked, dir, NO_ATTRS) };
}

function mapEach(dev: Device, ranges: readonly MemoryRange[], dir: DmaDataDirection): LiveMapping | null {
  const pieces: HandedOut[] = [];
  const undo = (): void => {
    for (const { address, bytes } of pieces) dmaUnmapPhys(dev, address, bytes, dir, NO_ATTRS);
  };
  for (const { phys, bytes } of ranges) {
    const address = dmaMapPhys(dev, phys, bytes, dir, NO_ATTRS);
    if (address === DMA_MAPPING_ERROR) {
      undo();
      return null;
    }
    pieces.push({ address, phys, bytes });
  }
  return { pieces, ranges: pieces.length, dir, undo };
}
