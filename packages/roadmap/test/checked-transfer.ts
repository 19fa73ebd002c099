// A transfer of any of the three APIs as a driver that keeps the rules makes it, and the single mistakes that break one.
// Simplified: a transfer has a buffer of its own, so that two of them never meet on the direct map.

import {
  type Device,
  type DmaDataDirection,
  dmaAllocCoherent,
  dmaFreeCoherent,
  dmaMapPhys,
  dmaMappingError,
  dmaSyncSingleForCpu,
  dmaSyncSingleForDevice,
  dmaUnmapPhys,
  NO_ATTRS,
} from '@sgfree/dma-core';
import { DmaIovaState, dmaIovaDestroy, dmaIovaLink, dmaIovaSync, dmaIovaTryAlloc } from '@sgfree/dma-iova';
import {
  dmaMapSgtable,
  dmaSyncSgtableForCpu,
  dmaUnmapSg,
  dmaUnmapSgtable,
  SgTable,
  sgInitTable,
  sgSetPage,
} from '@sgfree/dma-sg';
import { addOffset, dmaAddr, frameOf, PAGE_SIZE, type PhysAddr } from '@sgfree/hw-model';

export type Mistake =
  | 'no unmap'
  | 'unmapped twice'
  | 'shorter'
  | 'other direction'
  | 'other device'
  | 'inside'
  | 'unchecked'
  | 'other function'
  | 'fewer entries'
  | 'never visible';

/** What a transfer is made of; which fields count depends on the API. */
export interface TransferPlan {
  readonly api: 'phys' | 'list' | 'coherent' | 'two-step';
  /** Pages of the buffer, 2 and up. */
  readonly pages: number;
  /** Bytes into the first page. */
  readonly offset: number;
  readonly dir: DmaDataDirection;
}

export interface Transfer {
  readonly begin: () => void;
  readonly use: () => void;
  readonly end: () => void;
}

/** The first finding of each mistake, by API; absent: it cannot be made there. */
export const expectedRule: Readonly<
  Record<TransferPlan['api'], Readonly<Partial<Record<Mistake, readonly string[]>>>>
> = {
  phys: {
    'no unmap': ['dma-debug-leaked-at-unbind'],
    'unmapped twice': ['dma-debug-free-unknown', 'dma-shadow-use-after-unmap'],
    shorter: ['dma-debug-free-size'],
    'other direction': ['dma-debug-free-direction'],
    'other device': ['dma-debug-free-unknown', 'dma-shadow-foreign-device'],
    inside: ['dma-debug-free-unknown', 'dma-shadow-inside-mapping'],
    unchecked: ['dma-debug-unchecked-map-error'],
  },
  list: {
    'no unmap': ['dma-debug-leaked-at-unbind'],
    'unmapped twice': ['dma-debug-free-unknown', 'dma-shadow-use-after-unmap'],
    'other direction': ['dma-debug-free-direction'],
    'other device': ['dma-debug-free-unknown', 'dma-shadow-foreign-device'],
    'other function': ['dma-debug-free-function'],
    'fewer entries': ['dma-debug-free-entry-count'],
  },
  coherent: {
    'no unmap': ['dma-debug-leaked-at-unbind'],
    shorter: ['dma-debug-free-size'],
    'other function': ['dma-debug-free-function'],
  },
  'two-step': {
    'no unmap': ['dma-shadow-states-leaked'],
    'unmapped twice': ['dma-shadow-state-freed'],
    shorter: ['dma-shadow-destroy-short'],
    'other direction': ['dma-shadow-unlink-direction'],
    'other device': ['dma-shadow-state-wrong-device'],
    'never visible': ['dma-shadow-never-synced'],
  },
};

export interface Drivers {
  readonly dev: Device;
  readonly other: Device;
}

/** The transfer `plan` on `buffer`, with one mistake or none. */
export function transferOf(
  drivers: Drivers,
  plan: TransferPlan,
  buffer: PhysAddr,
  mistake: Mistake | null,
): Transfer {
  if (plan.api === 'phys') return physTransfer(drivers, plan, addOffset(buffer, plan.offset), mistake);
  if (plan.api === 'list') return listTransfer(drivers, plan, buffer, mistake);
  if (plan.api === 'coherent') return coherentTransfer(drivers, plan, mistake);
  return twoStepTransfer(drivers, plan, addOffset(buffer, plan.offset), mistake);
}

const reversed = (dir: DmaDataDirection): DmaDataDirection =>
  dir === 'to-device' ? 'from-device' : 'to-device';

function physTransfer({ dev, other }: Drivers, plan: TransferPlan, phys: PhysAddr, mistake: Mistake | null) {
  const size = plan.pages * PAGE_SIZE - plan.offset;
  const owner = mistake === 'other device' ? other : dev;
  const dir = mistake === 'other direction' ? reversed(plan.dir) : plan.dir;
  let address = dmaAddr(0);
  const unmap = (): void => {
    const from = mistake === 'inside' ? addOffset(address, PAGE_SIZE) : address;
    dmaUnmapPhys(owner, from, mistake === 'shorter' ? PAGE_SIZE : size, dir, NO_ATTRS);
  };
  return {
    begin: (): void => {
      address = dmaAddr(dmaMapPhys(dev, phys, size, plan.dir, NO_ATTRS));
      if (mistake !== 'unchecked') dmaMappingError(dev, address);
    },
    use: (): void => {
      dmaSyncSingleForCpu(dev, addOffset(address, 10), size - 10, plan.dir);
      dmaSyncSingleForDevice(dev, address, size, plan.dir);
    },
    end: (): void => {
      if (mistake !== 'no unmap') unmap();
      if (mistake === 'unmapped twice') unmap();
    },
  };
}

function listTransfer(
  { dev, other }: Drivers,
  plan: TransferPlan,
  buffer: PhysAddr,
  mistake: Mistake | null,
) {
  const table = new SgTable();
  sgInitTable(table.list, plan.pages);
  table.segmentCount = plan.pages;
  // Every other page, so that no two entries are neighbours.
  for (let at = 0; at < plan.pages; at += 1) {
    sgSetPage(table.list, at, frameOf(buffer) + 2 * at, PAGE_SIZE - plan.offset, plan.offset);
  }
  const dir = mistake === 'other direction' ? reversed(plan.dir) : plan.dir;
  const unmap = (): void => {
    if (mistake === 'fewer entries') dmaUnmapSg(dev, table.list, plan.pages - 1, plan.dir);
    else dmaUnmapSgtable(mistake === 'other device' ? other : dev, table, dir, NO_ATTRS);
  };
  return {
    begin: (): void => void dmaMapSgtable(dev, table, plan.dir, NO_ATTRS),
    use: (): void => dmaSyncSgtableForCpu(dev, table, plan.dir),
    end: (): void => {
      const first = dmaAddr(table.list.dmaAddress[0] as number);
      if (mistake === 'other function') {
        dmaUnmapPhys(dev, first, table.list.dmaLength[0] as number, plan.dir, NO_ATTRS);
      } else if (mistake !== 'no unmap') unmap();
      if (mistake === 'unmapped twice') unmap();
    },
  };
}

function coherentTransfer({ dev }: Drivers, plan: TransferPlan, mistake: Mistake | null) {
  const size = plan.pages * PAGE_SIZE - plan.offset;
  let block: ReturnType<typeof dmaAllocCoherent> = null;
  return {
    begin: (): void => {
      block = dmaAllocCoherent(dev, size);
    },
    use: (): void => undefined,
    end: (): void => {
      if (block === null || mistake === 'no unmap') return;
      if (mistake === 'other function') dmaUnmapPhys(dev, block.dma, size, 'bidirectional', NO_ATTRS);
      else dmaFreeCoherent(dev, { ...block, bytes: mistake === 'shorter' ? size - 1 : size });
    },
  };
}

function twoStepTransfer(
  { dev, other }: Drivers,
  plan: TransferPlan,
  phys: PhysAddr,
  mistake: Mistake | null,
) {
  const state = new DmaIovaState();
  const size = plan.pages * PAGE_SIZE - plan.offset;
  const dir = mistake === 'other direction' ? reversed(plan.dir) : plan.dir;
  const destroy = (): void => {
    const linked = mistake === 'shorter' ? size - PAGE_SIZE : size;
    dmaIovaDestroy(mistake === 'other device' ? other : dev, state, linked, dir, NO_ATTRS);
  };
  return {
    begin: (): void => {
      if (!dmaIovaTryAlloc(dev, state, phys, size)) throw new Error('no addresses');
      const first = PAGE_SIZE - plan.offset;
      dmaIovaLink(dev, state, phys, 0, first, plan.dir, NO_ATTRS);
      for (let at = first; at < size; at += PAGE_SIZE) {
        dmaIovaLink(dev, state, addOffset(phys, at), at, PAGE_SIZE, plan.dir, NO_ATTRS);
      }
      if (mistake !== 'never visible') dmaIovaSync(dev, state, 0, size);
    },
    use: (): void => undefined,
    end: (): void => {
      if (mistake !== 'no unmap') destroy();
      if (mistake === 'unmapped twice') destroy();
    },
  };
}
