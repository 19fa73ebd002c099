// A small machine for the mapping tests: one device behind a strict domain with a real page table and IOVA allocator,
// or on the direct map. Its log is on.
// Simplified: the driver of the domain only notes what it is asked to flush; peers are told apart by frame number.

import {
  type CacheMaintenance,
  Device,
  type DeviceOptions,
  DmaPlatform,
  dmaBitMask,
  iommuGetDmaCookie,
  iommuSetupDmaOps,
  type P2pClassifier,
  pciDevice,
  type Swiotlb,
} from '@sgfree/dma-core';
import { addOffset, dmaAddr, hex, PhysicalMemory, physAddr } from '@sgfree/hw-model';
import { PageTable, PagingDomain, VtdSecondStageFormat } from '@sgfree/iommu';
import { FrameAllocator } from '@sgfree/mm';
import { type Scatterlist, SgTable, sgInitTable, sgSetPage } from '../src/index.ts';

export const PEER_BUS_OFFSET = 0x4000000000;
/** First frames of the three kinds of peer memory, 0x1000 frames each. */
export const BUS_PEER = 0x1001000;
export const BRIDGE_PEER = 0x2001000;
export const UNREACHABLE_PEER = 0x3001000;

export interface SgMachineOptions {
  readonly pci?: boolean;
  readonly maskBits?: number;
  readonly startPfn?: number;
  readonly vaBits?: number;
  readonly maxSegmentSize?: number;
  readonly boundary?: number;
  readonly device?: Partial<DeviceOptions>;
  readonly cache?: CacheMaintenance;
  readonly swiotlb?: Swiotlb;
  readonly iommu?: boolean;
  /** What the driver answers after mapping; absent: it has nothing to do there. */
  readonly syncMap?: () => number;
}

const ram = { base: physAddr(0), bytes: 2 ** 31 };

export function sgMachine(options: SgMachineOptions = {}) {
  const memory = new PhysicalMemory();
  memory.addRam(ram.base, ram.bytes);
  const frames = new FrameAllocator(memory, { base: physAddr(2 ** 30), bytes: 2 ** 30 });
  const platform = new DmaPlatform({
    memory,
    p2p: classifier,
    cache: options.cache ?? null,
    swiotlb: options.swiotlb ?? null,
  });
  for (const first of [BUS_PEER, BRIDGE_PEER, UNREACHABLE_PEER]) {
    platform.frames.addZoneDevice('pci-p2pdma', first, 0x1000);
  }
  const given: DeviceOptions = {
    name: 'dev0',
    platform,
    hasDmaParms: true,
    dmaMask: dmaBitMask(options.maskBits ?? 64),
    ...options.device,
  };
  const dev = options.pci === false ? new Device(given) : pciDevice(given);
  dev.maxSegmentSize = options.maxSegmentSize ?? dev.maxSegmentSize;
  dev.segmentBoundaryMask = options.boundary ?? dev.segmentBoundaryMask;
  const flushes: string[] = [];
  const vaBits = options.vaBits ?? 48;
  const domain = new PagingDomain({
    table: new PageTable({
      format: new VtdSecondStageFormat({ flushRange: true }),
      memory,
      frames,
      vaBits,
    }),
    type: 'dma',
    log: platform.log,
    geometry: {
      apertureFirstFrame: options.startPfn ?? 1,
      apertureLastFrame: 2 ** (vaBits - 12) - 1,
      forceAperture: true,
    },
    ops: {
      iotlbSync: (_domain, gather) => {
        flushes.push(`${gather.startFrame.toString(16)}-${gather.endFrame.toString(16)}`);
      },
      flushIotlbAll: () => undefined,
      iotlbSyncMap: options.syncMap ?? null,
    },
  });
  iommuSetupDmaOps(dev, options.iommu === false ? null : domain);
  platform.log.enabled = true;
  const cookie = iommuGetDmaCookie(domain);
  return {
    dev,
    domain,
    frames,
    memory,
    platform,
    log: platform.log,
    flushes,
    /** IOVA ranges that mappings hold. */
    liveRanges: () => cookie.iovad.liveRanges,
  };
}

export type SgMachine = ReturnType<typeof sgMachine>;

const classifier: P2pClassifier = {
  mapType: ({ firstFrame }) =>
    firstFrame === BUS_PEER ? 'bus-addr' : firstFrame === BRIDGE_PEER ? 'thru-host-bridge' : 'not-supported',
  busAddress: (_pagemap, phys) => dmaAddr(addOffset(phys, PEER_BUS_OFFSET)),
};

/** Frame, offset and bytes of an entry. */
export type Entry = readonly [frame: number, offset: number, bytes: number];

/** A table with these entries in one array. */
export function tableOf(...entries: readonly Entry[]): SgTable {
  const table = new SgTable();
  sgInitTable(table.list, entries.length);
  table.segmentCount = entries.length;
  for (const [sg, [frame, offset, bytes]] of entries.entries()) {
    sgSetPage(table.list, sg, frame, bytes, offset);
  }
  return table;
}

/** The DMA side of the first `count` entries as text: `address+bytes`, `B` behind bus addresses, `-` for none. */
export function segments(list: Scatterlist, count: number): string[] {
  return Array.from({ length: count }, (_, sg) => {
    const address = list.dmaAddress[sg] as number;
    const flag = ((list.dmaFlags[sg] as number) & 1) === 1 ? 'B' : '';
    const bytes = (list.dmaLength[sg] as number).toString(16);
    return address < 0 && bytes === '0' ? '-' : `${address.toString(16)}+${bytes}${flag}`;
  });
}

/** The CPU side of the entries. */
export const entriesOf = (list: Scatterlist): Entry[] =>
  Array.from({ length: list.entryCount }, (_, sg) => [
    list.pageFrame[sg] as number,
    list.offset[sg] as number,
    list.length[sg] as number,
  ]);

/** The map and unmap events since the log was cleared last, as the kernel's core would trace them; clears the log. */
export function takeCalls(machine: SgMachine): string[] {
  const calls = machine.log.events.flatMap((event) => {
    const at = (field: string): string => hex(event[field] as number).slice(2);
    if (event.kind === 'iommu:map') return [`map ${at('iova')} ${at('paddr')} ${at('size')}`];
    return event.kind === 'iommu:unmap' ? [`unmap ${at('iova')} ${at('size')} ${at('unmappedSize')}`] : [];
  });
  machine.log.clear();
  return calls;
}
