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
import { type IovaDomain, type PagingDomain, restoreIovaState } from '@sgfree/iommu';
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
  within,
  word,
} from '../recorded-value.ts';
import { BrokenHeader, type FileContext, type JsonRecord } from '../suite.ts';
import { bouncePoolBehind } from './recorded-bounce-pool.ts';
import { recordedDomain } from './recorded-domain.ts';
import { RecordedFlushTimer, recordedFlushes } from './recorded-flush-timer.ts';
import { requesterIdOf, traceNameOf } from './recorded-trace.ts';
import { type TraceComparison, traceComparison } from './trace-comparison.ts';

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
  /** Null without a trace beside the file. */
  readonly trace: TraceComparison | null;
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
/**
 * Builds the start state of a file; throws {@link BrokenHeader} when the header does not describe one. The context
 * gives what lies beside the file: a trace tells when the timer of a lazy domain fired, and what the model must print.
 */
export function recordedDevice(header: JsonRecord, context?: FileContext): RecordedDevice {
  read(header, 'page_size', exactly(PAGE));
  const isTraced = context !== undefined && context.readInput(traceNameOf(context)) !== null;
  // Flush-queue files say themselves when the timer fired.
  const flushes = header['suite'] === 'fq' ? [] : recordedFlushes(header, context);
  const flushTimer = new RecordedFlushTimer(flushes, isTraced);
  const { log } = flushTimer;
  const pool = bouncePoolBehind(header);
  const { platform, frames } = machineOf(header, log, pool);
  const dev = deviceOf(header, platform);
  const domain = recordedDomain(header, context, { frames, memory: platform.memory, flushTimer, isTraced });
  iommuSetupDmaOps(dev, domain);
  dmaSetMask(dev, read(header, 'dma_mask', hexNumber));
  const iovad = domain === null ? null : restoredIovad(header, domain, flushTimer);
  if (domain !== null) dev.pci32BitWorkaround = read(header, 'pci_32bit_workaround', flag);
  // Bringing the machine up left its events too; the trace begins with the first record.
  log.clear();
  log.enabled = isTraced;
  return { dev, domain, iovad, log, frames, flushTimer, trace: traceComparison(header, context, log), pool };
}

function machineOf(
  header: JsonRecord,
  log: EventLog,
  pool: SwiotlbPool | null,
): { readonly platform: DmaPlatform; readonly frames: FrameAllocator } {
  const cpus = read(header, 'ncpus', cpuCount);
  const active = !WITHOUT_POOL.includes(String(header['suite'])) && read(header, 'swiotlb_active', flag);
  const memory = new PhysicalMemory();
  for (const { base, bytes } of [lowRam, tableRam]) memory.addRam(base, bytes);
  if (active) memory.addRam(highRam.base, highRam.bytes);
  const platform = new DmaPlatform({ memory, log, clock: new Clock(), cpus, swiotlb: { active, pool } });
  platform.currentCpu = read(header, 'cpu', within(0, cpus - 1));
  return { platform, frames: new FrameAllocator(memory, tableRam) };
}

function deviceOf(header: JsonRecord, platform: DmaPlatform): Device {
  const name = read(header, 'dev', busAddress);
  const dev = pciDevice({
    name,
    platform,
    requesterId: requesterIdOf(name),
    untrusted: read(header, 'untrusted', flag),
    shadowOnFlush: read(header, 'queue_type', orAbsent(flag)) ?? false,
    dmaMask: read(header, 'dma_mask', hexNumber),
  });
  dmaSetMinAlignMask(dev, read(header, 'min_align_mask', orAbsent(word)) ?? 0);
  return dev;
}

function restoredIovad(header: JsonRecord, domain: PagingDomain, flushTimer: RecordedFlushTimer): IovaDomain {
  const cookie = iommuGetDmaCookie(domain);
  flushTimer.watch(cookie);
  try {
    restore(header, cookie.iovad);
  } catch (error) {
    // A tree, remembered nodes and caches that do not fit together are the file's fault, not the model's.
    if (error instanceof InternalError) throw new BrokenHeader(error.message);
    throw error;
  }
  return cookie.iovad;
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
