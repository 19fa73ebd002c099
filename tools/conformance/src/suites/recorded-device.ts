// RecordedDevice: the machine a mapping suite ran on, rebuilt from the header of its file: one device, its domain with
// the page-table format of that machine, and the IOVA allocator exactly as it was found.
// Field meanings: vectors/kernel/README.md, "Header fields". Only inputs are read; nothing recorded after the header.
// Simplified: RAM is taken to reach above 4 GiB when a bounce pool is active, which is when x86 keeps one; where it ends
// shows in no record. Tables lie right below the interrupt window, where no machine has a buffer that bounces.

import {
  type Device,
  DmaPlatform,
  dmaSetMask,
  dmaSetMinAlignMask,
  iommuGetDmaCookie,
  iommuSetupDmaOps,
  pciDevice,
  type SwiotlbPool,
} from '@sgfree/dma-core';
import {
  Clock,
  type EventLog,
  InternalError,
  PhysicalMemory,
  type PhysRange,
  physAddr,
} from '@sgfree/hw-model';
import {
  type DomainGeometry,
  type IovaDomain,
  PageTable,
  PagingDomain,
  type PagingDomainType,
  restoreIovaState,
} from '@sgfree/iommu';
import { FrameAllocator } from '@sgfree/mm';
import { BrokenHeader, type FileContext, type JsonRecord } from '../suite.ts';
import { bouncePoolBehind } from './recorded-bounce-pool.ts';
import { RecordedFlushTimer, recordedFlushes } from './recorded-flush-timer.ts';
import { recordedTableShape } from './recorded-table-shape.ts';

/** The device of a file with everything behind it. */
export interface RecordedDevice {
  readonly dev: Device;
  /** Null on a machine without an IOMMU. */
  readonly domain: PagingDomain | null;
  readonly iovad: IovaDomain | null;
  readonly log: EventLog;
  /** Source of table pages. */
  readonly frames: FrameAllocator;
  /** Fires the timer of a lazy domain where the trace beside the file says that it fired. */
  readonly flushTimer: RecordedFlushTimer;
  /** Null where none is active, or its slots are not recorded. */
  readonly pool: SwiotlbPool | null;
}

const PAGE = 4096;
const lowRam: PhysRange = { base: physAddr(0), bytes: 0xf000_0000 };
const tableRam: PhysRange = { base: physAddr(0xf000_0000), bytes: 0xe00_0000 };
const domainTypes = new Map<unknown, PagingDomainType>([
  [3, 'dma'],
  [11, 'dma-fq'],
]);

/**
 * Builds the start state of a file; throws {@link BrokenHeader} when the header does not describe one. The context
 * gives a lazy domain the moments at which its timer fired.
 */
export function recordedDevice(header: JsonRecord, context?: FileContext): RecordedDevice {
  if (header['page_size'] !== PAGE) throw new BrokenHeader('the page size is not 4096');
  const memory = new PhysicalMemory();
  for (const { base, bytes } of ramOf(header)) memory.addRam(base, bytes);
  const flushTimer = new RecordedFlushTimer(recordedFlushes(header, context));
  const { log } = flushTimer;
  const pool = bouncePoolBehind(header);
  const platform = new DmaPlatform({
    memory,
    log,
    clock: new Clock(),
    cpus: numberOf(header, 'ncpus'),
    swiotlb: { active: header['swiotlb_active'] === 1, pool },
  });
  platform.currentCpu = numberOf(header, 'cpu');
  const dev = pciDevice({
    name: String(header['dev']),
    platform,
    untrusted: header['untrusted'] === 1,
    shadowOnFlush: header['queue_type'] === 1,
    dmaMask: hexNumber(header, 'dma_mask'),
  });
  dmaSetMinAlignMask(dev, Number(header['min_align_mask'] ?? 0));
  const frames = new FrameAllocator(memory, tableRam);
  const domain = domainOf(header, frames, memory, flushTimer);
  iommuSetupDmaOps(dev, domain);
  dmaSetMask(dev, hexNumber(header, 'dma_mask'));
  if (domain === null) return { dev, domain, iovad: null, log, frames, flushTimer, pool };
  const cookie = iommuGetDmaCookie(domain);
  const { iovad } = cookie;
  flushTimer.watch(cookie);
  try {
    restore(header, iovad);
  } catch (error) {
    // A tree, remembered nodes and caches that do not fit together are the file's fault, not the model's.
    if (error instanceof InternalError) throw new BrokenHeader(error.message);
    throw error;
  }
  dev.pci32BitWorkaround = header['pci_32bit_workaround'] === 1;
  return { dev, domain, iovad, log, frames, flushTimer, pool };
}

function domainOf(
  header: JsonRecord,
  frames: FrameAllocator,
  memory: PhysicalMemory,
  flushTimer: RecordedFlushTimer,
): PagingDomain | null {
  const recordedType = header['domain_type'] ?? null;
  if (recordedType === null) return null;
  const type = domainTypes.get(recordedType);
  if (type === undefined)
    throw new BrokenHeader(`domain type ${JSON.stringify(recordedType)} is no DMA domain`);
  const geometry = geometryOf(header);
  const { format, vaBits, pgsizeBitmap } = recordedTableShape(
    hexNumber(header, 'pgsize_bitmap'),
    geometry.apertureLastFrame,
  );
  const table = new PageTable({ format, memory, frames, vaBits, pgsizeBitmap });
  // Flushes have no effect that these suites record; those of the whole domain tell how far the trace is.
  const ops = {
    iotlbSync(): void {},
    flushIotlbAll: (): void => flushTimer.noteFlush(),
    iotlbSyncMap: null,
  };
  return new PagingDomain({ table, ops, type, geometry, log: flushTimer.log });
}

function geometryOf(header: JsonRecord): DomainGeometry {
  const aperture = header['aperture'];
  if (!Array.isArray(aperture) || aperture.length !== 2) throw new BrokenHeader('aperture is no pair');
  const [first, last] = aperture.map(frameOfHex);
  return {
    apertureFirstFrame: first ?? 0,
    apertureLastFrame: last ?? 0,
    forceAperture: header['geometry_force'] === 1,
  };
}

function restore(header: JsonRecord, iovad: IovaDomain): void {
  const granule = numberOf(header, 'iova_granule');
  const startPfn = hexNumber(header, 'iova_start_pfn');
  if (granule !== iovad.granule || startPfn !== iovad.startPfn) {
    throw new BrokenHeader(
      `granule ${granule} and start ${startPfn} do not follow from pgsize_bitmap and aperture`,
    );
  }
  const pfns = (list: unknown): number[] | null => (Array.isArray(list) ? list.map(Number) : null);
  restoreIovaState(iovad, {
    ranges: listOf(header, 'iova_tree').map((range) => {
      const [lo, hi] = pfns(range) ?? [];
      if (lo === undefined || hi === undefined)
        throw new BrokenHeader('iova_tree holds something that is no range');
      return [lo, hi];
    }),
    cached: nodeOf(header, 'c'),
    cached32: nodeOf(header, 'c32'),
    max32: hexNumber(header, 'm32'),
    rcache: listOf(header, 'rcache').map((slot) => {
      const { cpu, order, depot, loaded, prev } = slot as JsonRecord;
      return {
        cpu: Number(cpu),
        order: Number(order),
        depot: Number(depot),
        loaded: pfns(loaded),
        prev: pfns(prev),
      };
    }),
  });
}

/** First frame of a remembered node; null for the end anchor, which starts at 2^64 - 1. */
const nodeOf = (header: JsonRecord, field: string): number | null => {
  const pfn = hexNumber(header, field);
  return pfn >= 2 ** 63 ? null : pfn;
};

function listOf(header: JsonRecord, field: string): readonly unknown[] {
  const list = header[field];
  if (!Array.isArray(list)) throw new BrokenHeader(`${field} is no list`);
  return list;
}

function numberOf(header: JsonRecord, field: string): number {
  const value = header[field];
  if (typeof value !== 'number') throw new BrokenHeader(`${field} is no number`);
  return value;
}

/** A hex field; 2^64 - 1 becomes 2^64, which is how masks of all ones are written here. */
function hexNumber(header: JsonRecord, field: string): number {
  const text = header[field];
  if (typeof text !== 'string' || !/^0x[0-9a-f]+$/.test(text))
    throw new BrokenHeader(`${field} is no hex string`);
  return Number(text);
}

function frameOfHex(text: unknown): number {
  if (typeof text !== 'string' || !/^0x[0-9a-f]+$/.test(text))
    throw new BrokenHeader('aperture holds no hex string');
  return Number(BigInt(text) / BigInt(PAGE));
}

function ramOf(header: JsonRecord): PhysRange[] {
  const ram = [lowRam, tableRam];
  return header['swiotlb_active'] === 1 ? [...ram, { base: physAddr(2 ** 32), bytes: 2 ** 30 }] : ram;
}
