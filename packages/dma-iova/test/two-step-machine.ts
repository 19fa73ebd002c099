// A small machine for tests of the two-step API: one PCI device behind second-stage tables of 48 bits, strict, with a
// bounce pool that copies real bytes. Flushes, cache maintenance and bounces appear in one trace.

import {
  type BouncePool,
  type Device,
  type DeviceOptions,
  DmaPlatform,
  dmaBitMask,
  dmaSetMask,
  iommuGetDmaCookie,
  iommuSetupDmaOps,
  pciDevice,
  type Swiotlb,
} from '@sgfree/dma-core';
import {
  addOffset,
  alignUp,
  EventLog,
  offsetWithin,
  type PhysAddr,
  PhysicalMemory,
  physAddr,
} from '@sgfree/hw-model';
import { type IovaDomain, PageTable, PagingDomain, VtdSecondStageFormat } from '@sgfree/iommu';
import { FrameAllocator } from '@sgfree/mm';

const MIB = 2 ** 20;
const POOL_START = 0x50_0000_0000;
const POOL_BYTES = MIB;

export const hexOf = (value: number): string => value.toString(16);

export interface TwoStepMachine {
  readonly dev: Device;
  readonly domain: PagingDomain;
  readonly iovad: IovaDomain;
  readonly frames: FrameAllocator;
  readonly memory: PhysicalMemory;
  readonly log: EventLog;
  readonly pool: TracedPool;
}

/** Slots from a bump pointer at 0x5000000000, never used twice. */
export class TracedPool implements BouncePool {
  /** Mappings still allowed before one fails, -1 = never. */
  failAfter = -1;
  readonly live: Set<PhysAddr> = new Set();
  readonly #log: EventLog;
  #next: PhysAddr = physAddr(POOL_START);

  constructor(log: EventLog) {
    this.#log = log;
  }

  map(dev: Device, orig: PhysAddr, size: number, allocAlignMask: number): PhysAddr | -1 {
    if (this.failAfter === 0) return -1;
    if (this.failAfter > 0) this.failAfter -= 1;
    const kept = dev.minAlignMask < allocAlignMask ? 0 : offsetWithin(orig, allocAlignMask + 1);
    const bounced = addOffset(this.#next, kept);
    this.#next = alignUp(addOffset(bounced, size), allocAlignMask + 1);
    this.live.add(bounced);
    const bytes = new Uint8Array(size);
    dev.platform.memory.read(orig, bytes);
    dev.platform.memory.write(bounced, bytes);
    this.#log.post({ kind: 'test:line', line: `bounce ${hexOf(orig)} ${hexOf(size)} at ${hexOf(bounced)}` });
    return bounced;
  }

  unmap(_dev: Device, bounced: PhysAddr, size: number): void {
    this.live.delete(bounced);
    this.#log.post({ kind: 'test:line', line: `release ${hexOf(bounced)} ${hexOf(size)}` });
  }

  contains(_dev: Device, address: PhysAddr): boolean {
    return address >= POOL_START && address < addOffset(physAddr(POOL_START), POOL_BYTES);
  }

  syncForCpu(): void {}

  syncForDevice(): void {}
}

export interface TwoStepOptions {
  readonly device?: Partial<DeviceOptions>;
  /** Instead of the bump pool. */
  readonly swiotlb?: Swiotlb;
  /** The driver wants to be told of new mappings. */
  readonly withSyncMap?: boolean;
}

export function twoStepMachine(options: TwoStepOptions = {}): TwoStepMachine {
  const memory = new PhysicalMemory();
  memory.addRam(physAddr(0), 256 * MIB);
  memory.addRam(physAddr(POOL_START), POOL_BYTES);
  const log = new EventLog();
  const line = (text: string): void => log.post({ kind: 'test:line', line: text });
  const frames = new FrameAllocator(memory, { base: physAddr(128 * MIB), bytes: 64 * MIB });
  const format = new VtdSecondStageFormat({ flushRange: true });
  const domain = new PagingDomain({
    table: new PageTable({ format, memory, frames, vaBits: 48 }),
    type: 'dma',
    log,
    ops: {
      iotlbSync: (_domain, { startFrame, endFrame, endOffset }) =>
        line(`sync ${hexOf(startFrame * 4096)} ${hexOf(endFrame * 4096 + endOffset)}`),
      flushIotlbAll: () => line('sync all'),
      iotlbSyncMap:
        options.withSyncMap === true
          ? (_domain, frame, count) => {
              line(`sync-map ${hexOf(frame * 4096)} ${hexOf(count * 4096)}`);
              return 0;
            }
          : null,
    },
  });
  const pool = new TracedPool(log);
  const cache = {
    syncForDevice: (phys: number, size: number) => line(`to-device ${hexOf(phys)} ${hexOf(size)}`),
    syncForCpu: (phys: number, size: number) => line(`to-cpu ${hexOf(phys)} ${hexOf(size)}`),
    flush: () => line('cache-flush'),
  };
  const platform = new DmaPlatform({
    memory,
    log,
    cache,
    swiotlb: options.swiotlb ?? { active: true, pool },
  });
  const dev = pciDevice({ name: '0000:00:0d.0', platform, ...options.device });
  iommuSetupDmaOps(dev, domain);
  dmaSetMask(dev, options.device?.dmaMask ?? dmaBitMask(64));
  log.enabled = true;
  return { dev, domain, iovad: iommuGetDmaCookie(domain).iovad, frames, memory, log, pool };
}

/** What happened since the last call: `map iova paddr size`, `unmap iova size done`, `sync a b` and so on. */
export function takeTrace({ log }: TwoStepMachine): string[] {
  const lines: string[] = [];
  for (const event of log.events) {
    const words = (...fields: string[]): string => fields.map((name) => hexOf(Number(event[name]))).join(' ');
    if (event.kind === 'iommu:map') lines.push(`map ${words('iova', 'paddr', 'size')}`);
    if (event.kind === 'iommu:unmap') lines.push(`unmap ${words('iova', 'size', 'unmappedSize')}`);
    if (event.kind === 'test:line') lines.push(String(event['line']));
    if (event.kind === 'violation') lines.push(`violation ${String(event['rule'])}`);
  }
  log.clear();
  return lines;
}

/** What is still mapped, taken or bounced; all zero after a clean teardown. */
export const leftovers = ({ domain, iovad, pool }: TwoStepMachine): number[] => [
  domain.table.liveLeafEntries,
  iovad.liveRanges,
  pool.live.size,
];
