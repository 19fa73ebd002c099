// A small machine for tests: one PCI device behind second-stage tables of 48 bits, strict, every event kept.
// Flushes appear in the log as `test:sync` with the range that the driver was asked to flush.

import { type DmaAddr, dmaAddr, EventLog, PhysicalMemory, physAddr } from '@sgfree/hw-model';
import {
  type DomainGeometry,
  type IommuDomainOps,
  type IovaDomain,
  PageTable,
  PagingDomain,
  type PagingDomainType,
  VtdSecondStageFormat,
} from '@sgfree/iommu';
import { FrameAllocator, PageAllocator } from '@sgfree/mm';
import {
  type Device,
  type DeviceOptions,
  DmaPlatform,
  type DmaPlatformOptions,
  dmaBitMask,
  dmaSetMask,
  iommuGetDmaCookie,
  iommuSetupDmaOps,
  pciDevice,
} from '../src/index.ts';

export interface TestMachine {
  readonly dev: Device;
  readonly domain: PagingDomain;
  readonly iovad: IovaDomain;
  /** Source of table pages. */
  readonly frames: FrameAllocator;
  /** Source of coherent memory. */
  readonly pages: PageAllocator;
  readonly memory: PhysicalMemory;
  readonly log: EventLog;
}

export interface TestMachineOptions {
  readonly device?: Partial<DeviceOptions>;
  readonly platform?: Partial<DmaPlatformOptions>;
  readonly geometry?: DomainGeometry;
  readonly type?: PagingDomainType;
  readonly withSyncMap?: boolean;
}

const MIB = 2 ** 20;

export const hexOf = (value: number): string => value.toString(16);

export function loggingOps(log: EventLog, withSyncMap: boolean): IommuDomainOps {
  return {
    iotlbSync: (_domain, gather) =>
      log.post({
        kind: 'test:sync',
        first: hexOf(gather.startFrame * 4096 + gather.startOffset),
        last: hexOf(gather.endFrame * 4096 + gather.endOffset),
      }),
    flushIotlbAll: () => log.post({ kind: 'test:sync-all' }),
    iotlbSyncMap: withSyncMap
      ? (_domain, frame, frames) => {
          log.post({ kind: 'test:sync-map', iova: hexOf(frame * 4096), bytes: hexOf(frames * 4096) });
          return 0;
        }
      : null,
  };
}

/** A second-stage domain of 48 bits that no device has set up yet. */
export function freshDomain(log: EventLog = new EventLog()): PagingDomain {
  const memory = new PhysicalMemory();
  const ram = { base: physAddr(0), bytes: 16 * MIB };
  memory.addRam(ram.base, ram.bytes);
  const format = new VtdSecondStageFormat({ flushRange: true });
  const table = new PageTable({ format, memory, frames: new FrameAllocator(memory, ram), vaBits: 48 });
  return new PagingDomain({ table, ops: loggingOps(log, false), type: 'dma', log });
}

export function testMachine(options: TestMachineOptions = {}): TestMachine {
  const memory = new PhysicalMemory();
  memory.addRam(physAddr(0), 256 * MIB);
  const log = new EventLog();
  const frames = new FrameAllocator(memory, { base: physAddr(128 * MIB), bytes: 64 * MIB });
  const pages = new PageAllocator(memory, { base: physAddr(32 * MIB), bytes: 64 * MIB });
  const format = new VtdSecondStageFormat({ flushRange: true });
  const table = new PageTable({ format, memory, frames, vaBits: 48 });
  const domain = new PagingDomain({
    table,
    ops: loggingOps(log, options.withSyncMap ?? false),
    type: options.type ?? 'dma',
    log,
    ...(options.geometry === undefined ? {} : { geometry: options.geometry }),
  });
  const platform = new DmaPlatform({ memory, pages, log, ...options.platform });
  const dev = pciDevice({ name: '0000:00:08.0', platform, ...options.device });
  iommuSetupDmaOps(dev, domain);
  if (dev.dmaMask !== null) dmaSetMask(dev, options.device?.dmaMask ?? dmaBitMask(64));
  const { iovad } = iommuGetDmaCookie(domain);
  log.enabled = true;
  return { dev, domain, iovad, frames, pages, memory, log };
}

/** The iommu and test events since the last call, in short: `map iova paddr size`, `unmap iova size done`, `sync a b`. */
export function takeTrace({ log }: TestMachine): string[] {
  const lines = log.events.flatMap((event) => {
    const field = (name: string): string => {
      const value = event[name];
      return typeof value === 'number' ? hexOf(value) : String(value);
    };
    if (event.kind === 'iommu:map') return [`map ${field('iova')} ${field('paddr')} ${field('size')}`];
    if (event.kind === 'iommu:unmap')
      return [`unmap ${field('iova')} ${field('size')} ${field('unmappedSize')}`];
    if (event.kind === 'test:sync') return [`sync ${field('first')} ${field('last')}`];
    if (event.kind === 'test:sync-map') return [`sync-map ${field('iova')} ${field('bytes')}`];
    if (event.kind === 'test:cache') return [field('what')];
    return event.kind.startsWith('test:') ? [event.kind.slice(5)] : [];
  });
  log.clear();
  return lines;
}

/** Rule codes of the violations posted so far. */
export const rulesOf = ({ log }: { readonly log: EventLog }): string[] =>
  log.events.filter(({ kind }) => kind === 'violation').map(({ rule }) => String(rule));

/** What is still mapped or taken; all zero after a clean teardown. */
export const leftovers = ({ domain, iovad }: TestMachine): { entries: number; ranges: number } => ({
  entries: domain.table.liveLeafEntries,
  ranges: iovad.liveRanges,
});

/** An address as a mapping returned it; the test fails when the mapping failed. */
export function mapped(address: DmaAddr | -1): DmaAddr {
  if (address === -1) throw new Error('the mapping failed');
  return dmaAddr(address);
}
