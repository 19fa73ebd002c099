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
import {
  count,
  cpuCount,
  exactly,
  flag,
  hexNumber,
  listOf,
  matching,
  objectOf,
  orAbsent,
  orNull,
  type Reader,
  read,
  tupleOf,
  wideAddress,
  within,
  word,
} from '../recorded-value.ts';
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
/** Suites whose headers say nothing of a bounce pool: their devices never bounce. */
const WITHOUT_POOL: readonly string[] = ['fq', 'p2p_sg', 'phys_vec'];
const lowRam: PhysRange = { base: physAddr(0), bytes: 0xf000_0000 };
const tableRam: PhysRange = { base: physAddr(0xf000_0000), bytes: 0xe00_0000 };
const highRam: PhysRange = { base: physAddr(2 ** 32), bytes: 2 ** 30 };
export const busAddress: Reader<string> = matching(
  /^[0-9a-f]{4,}:[0-9a-f]{2}:[0-9a-f]{2}\.[0-7]$/,
  'domain:bus:device.function',
);
/** Bus \<\< 8 | devfn of `domain:bus:device.function`. */
const requesterIdOf = (name: string): number => {
  const [bus = '', device = '', functionNumber = ''] = name.split(/[:.]/).slice(1);
  return Number.parseInt(bus, 16) * 256 + Number.parseInt(device, 16) * 8 + Number(functionNumber);
};
const STRICT = 3;
const LAZY = 11;
const domainType: Reader<PagingDomainType> = (value) =>
  value === LAZY ? 'dma-fq' : exactly(STRICT)(value) === STRICT ? 'dma' : 'unmanaged';

/**
 * Builds the start state of a file; throws {@link BrokenHeader} when the header does not describe one. The context
 * gives a lazy domain the moments at which its timer fired.
 */
export function recordedDevice(header: JsonRecord, context?: FileContext): RecordedDevice {
  read(header, 'page_size', exactly(PAGE));
  const cpus = read(header, 'ncpus', cpuCount);
  const active = !WITHOUT_POOL.includes(String(header['suite'])) && read(header, 'swiotlb_active', flag);
  const dmaMask = read(header, 'dma_mask', hexNumber);
  const memory = new PhysicalMemory();
  for (const { base, bytes } of [lowRam, tableRam]) memory.addRam(base, bytes);
  if (active) memory.addRam(highRam.base, highRam.bytes);
  const flushTimer = new RecordedFlushTimer(recordedFlushes(header, context));
  const { log } = flushTimer;
  const pool = bouncePoolBehind(header);
  const platform = new DmaPlatform({
    memory,
    log,
    clock: new Clock(),
    cpus,
    swiotlb: { active, pool },
  });
  platform.currentCpu = read(header, 'cpu', within(0, cpus - 1));
  const name = read(header, 'dev', busAddress);
  const dev = pciDevice({
    name,
    platform,
    requesterId: requesterIdOf(name),
    untrusted: read(header, 'untrusted', flag),
    shadowOnFlush: read(header, 'queue_type', orAbsent(flag)) ?? false,
    dmaMask,
  });
  dmaSetMinAlignMask(dev, read(header, 'min_align_mask', orAbsent(word)) ?? 0);
  const frames = new FrameAllocator(memory, tableRam);
  const domain = domainOf(header, frames, memory, flushTimer);
  iommuSetupDmaOps(dev, domain);
  dmaSetMask(dev, dmaMask);
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
  dev.pci32BitWorkaround = read(header, 'pci_32bit_workaround', flag);
  return { dev, domain, iovad, log, frames, flushTimer, pool };
}

function domainOf(
  header: JsonRecord,
  frames: FrameAllocator,
  memory: PhysicalMemory,
  flushTimer: RecordedFlushTimer,
): PagingDomain | null {
  const type = read(header, 'domain_type', orNull(domainType));
  if (type === null) return null;
  const geometry = geometryOf(header);
  const { format, vaBits, pgsizeBitmap } = recordedTableShape(
    read(header, 'pgsize_bitmap', hexNumber),
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
  const [first, last] = read(header, 'aperture', tupleOf(wideAddress, wideAddress));
  return {
    apertureFirstFrame: first.frame,
    apertureLastFrame: last.frame,
    forceAperture: read(header, 'geometry_force', flag),
  };
}

function restore(header: JsonRecord, iovad: IovaDomain): void {
  const granule = read(header, 'iova_granule', count);
  const startPfn = read(header, 'iova_start_pfn', hexNumber);
  if (granule !== iovad.granule || startPfn !== iovad.startPfn) {
    throw new BrokenHeader(
      `granule ${granule} and start ${startPfn} do not follow from pgsize_bitmap and aperture`,
    );
  }
  restoreIovaState(iovad, {
    ranges: read(header, 'iova_tree', listOf(tupleOf(hexNumber, hexNumber))),
    cached: read(header, 'c', nodeFrame),
    cached32: read(header, 'c32', nodeFrame),
    max32: read(header, 'm32', hexNumber),
    rcache: read(header, 'rcache', listOf(cacheSlot)),
  });
}

/** First frame of a remembered node; null for the end anchor, which starts at 2^64 - 1. */
const nodeFrame: Reader<number | null> = (value) => {
  const pfn = hexNumber(value);
  return pfn >= 2 ** 63 ? null : pfn;
};

/** The magazines of one CPU and order, null where there is none yet. */
const cacheSlot = objectOf({
  cpu: count,
  order: count,
  depot: count,
  loaded: orNull(listOf(hexNumber)),
  prev: orNull(listOf(hexNumber)),
});
