// MappingWay: one buffer mapped by dma_map_phys, by a list, or in two steps, with each piece of cache maintenance to be
// left out.
// Simplified: for tests only; a buffer of two pieces that lie apart in memory, one of each two pages long.

import {
  type DmaAttrs,
  type DmaDataDirection,
  dmaMapPhys,
  dmaSyncSingleForCpu,
  dmaSyncSingleForDevice,
  dmaUnmapPhys,
} from '@sgfree/dma-core';
import {
  DmaIovaState,
  dmaIovaDestroy,
  dmaIovaFree,
  dmaIovaLink,
  dmaIovaSync,
  dmaIovaTryAlloc,
  dmaIovaUnlink,
} from '@sgfree/dma-iova';
import {
  dmaMapSgtable,
  dmaSyncSgForCpu,
  dmaSyncSgForDevice,
  dmaUnmapSgAttrs,
  SgTable,
  sgInitTable,
  sgSetPage,
} from '@sgfree/dma-sg';
import {
  addOffset,
  type DmaAddr,
  dmaAddr,
  frameOf,
  offsetWithin,
  type PhysAddr,
  physAddr,
} from '@sgfree/hw-model';
import type { NonCoherentMachine } from './non-coherent-machine.ts';

/** What can be left out; `sync-links` is dma_iova_sync. */
export type Maintenance = 'map' | 'sync-links' | 'sync-for-device' | 'sync-for-cpu' | 'unmap';

/** A buffer in the device's hands. `address` holds the first byte of the first piece. */
export interface MappedBuffer {
  readonly pieces: readonly { readonly phys: PhysAddr; readonly dma: DmaAddr; readonly bytes: number }[];
  syncForDevice(): void;
  syncForCpu(): void;
  unmap(): void;
}

/** A way to map pieces. */
export type MappingWay = (
  machine: NonCoherentMachine,
  pieces: readonly PhysAddr[],
  bytes: number,
  dir: DmaDataDirection,
  without?: Maintenance,
) => MappedBuffer;

const attrsFor = (part: Maintenance, without: Maintenance | undefined): DmaAttrs =>
  part === without ? { skipCpuSync: true } : {};

function addressOf(address: DmaAddr | -1): DmaAddr {
  if (address === -1) throw new Error('the mapping failed');
  return dmaAddr(address);
}

export const bySingle: MappingWay = ({ dev }, pieces, bytes, dir, without) => {
  const mapped = pieces.map((phys) => {
    const dma = addressOf(dmaMapPhys(dev, phys, bytes, dir, attrsFor('map', without)));
    return { phys, dma, bytes };
  });
  return {
    pieces: mapped,
    syncForDevice: () => {
      for (const { dma } of mapped)
        if (without !== 'sync-for-device') dmaSyncSingleForDevice(dev, dma, bytes, dir);
    },
    syncForCpu: () => {
      for (const { dma } of mapped) if (without !== 'sync-for-cpu') dmaSyncSingleForCpu(dev, dma, bytes, dir);
    },
    unmap: () => {
      for (const { dma } of mapped) dmaUnmapPhys(dev, dma, bytes, dir, attrsFor('unmap', without));
    },
  };
};

export const byList: MappingWay = ({ dev }, pieces, bytes, dir, without) => {
  const table = new SgTable();
  sgInitTable(table.list, pieces.length);
  table.segmentCount = pieces.length;
  for (const [sg, phys] of pieces.entries()) {
    sgSetPage(table.list, sg, frameOf(phys), bytes, offsetWithin(phys, 4096));
  }
  if (dmaMapSgtable(dev, table, dir, attrsFor('map', without)) !== 0) throw new Error('the mapping failed');
  const { list } = table;
  return {
    pieces: pieces.map((phys, sg) => ({ phys, dma: segmentByte(table, sg * bytes), bytes })),
    syncForDevice: () => {
      if (without !== 'sync-for-device') dmaSyncSgForDevice(dev, list, pieces.length, dir);
    },
    syncForCpu: () => {
      if (without !== 'sync-for-cpu') dmaSyncSgForCpu(dev, list, pieces.length, dir);
    },
    unmap: () => dmaUnmapSgAttrs(dev, list, pieces.length, dir, attrsFor('unmap', without)),
  };
};

/** Where byte `offset` of a mapped list is; its pieces may share a segment. */
function segmentByte({ list, mappedCount }: SgTable, offset: number): DmaAddr {
  let left = offset;
  for (let sg = 0; sg < mappedCount; sg += 1) {
    const length = list.dmaLength[sg] as number;
    if (left < length) return dmaAddr((list.dmaAddress[sg] as number) + left);
    left -= length;
  }
  throw new Error('beyond the list');
}

/** The two-step API has no sync of its own for a turn in between: the single one serves, as in the kernel. */
export const inTwoSteps: MappingWay = ({ dev }, pieces, bytes, dir, without) => {
  const state = new DmaIovaState();
  const total = pieces.length * bytes;
  if (!dmaIovaTryAlloc(dev, state, pieces[0] ?? physAddr(0), total)) throw new Error('no addresses');
  for (const [at, phys] of pieces.entries()) {
    const errno = dmaIovaLink(dev, state, phys, at * bytes, bytes, dir, attrsFor('map', without));
    if (errno !== 0) throw new Error(`the link failed with ${errno}`);
  }
  if (without !== 'sync-links' && dmaIovaSync(dev, state, 0, total) !== 0) throw new Error('the sync failed');
  const mapped = pieces.map((phys, at) => ({ phys, dma: addOffset(state.addr, at * bytes), bytes }));
  return {
    pieces: mapped,
    syncForDevice: () => {
      for (const { dma } of mapped)
        if (without !== 'sync-for-device') dmaSyncSingleForDevice(dev, dma, bytes, dir);
    },
    syncForCpu: () => {
      for (const { dma } of mapped) if (without !== 'sync-for-cpu') dmaSyncSingleForCpu(dev, dma, bytes, dir);
    },
    unmap: () => dmaIovaDestroy(dev, state, total, dir, attrsFor('unmap', without)),
  };
};

/** The same with unlink and free instead of destroy. */
export const inTwoStepsUnlinked: MappingWay = (machine, pieces, bytes, dir, without) => {
  const { dev } = machine;
  const state = new DmaIovaState();
  const total = pieces.length * bytes;
  if (!dmaIovaTryAlloc(dev, state, pieces[0] ?? physAddr(0), total)) throw new Error('no addresses');
  for (const [at, phys] of pieces.entries()) {
    if (dmaIovaLink(dev, state, phys, at * bytes, bytes, dir, attrsFor('map', without)) !== 0)
      throw new Error('link');
    if (without !== 'sync-links') dmaIovaSync(dev, state, at * bytes, bytes);
  }
  const mapped = pieces.map((phys, at) => ({ phys, dma: addOffset(state.addr, at * bytes), bytes }));
  return {
    pieces: mapped,
    syncForDevice: () => undefined,
    syncForCpu: () => undefined,
    unmap: () => {
      for (const at of pieces.keys())
        dmaIovaUnlink(dev, state, at * bytes, bytes, dir, attrsFor('unmap', without));
      dmaIovaFree(dev, state);
    },
  };
};
