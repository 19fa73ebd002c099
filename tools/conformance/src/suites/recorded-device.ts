// RecordedDevice: the machine a mapping suite ran on, rebuilt from the header of its file: one device, its domain with
// the page-table format of that machine, and the IOVA allocator exactly as it was found.
// Field meanings: vectors/kernel/README.md, "Header fields". Only inputs are read; nothing recorded after the header.
// Simplified: RAM is taken to reach above 4 GiB when a bounce pool is active, which is when x86 keeps one, and tables
// lie below; where exactly either ends shows in no record.

import {
  type Device,
  DmaPlatform,
  dmaSetMask,
  dmaSetMinAlignMask,
  iommuGetDmaCookie,
  iommuSetupDmaOps,
  pciDevice,
} from '@sgfree/dma-core';
import { Clock, EventLog, InternalError, PhysicalMemory, type PhysRange, physAddr } from '@sgfree/hw-model';
import {
  type DomainGeometry,
  type IommuDomainOps,
  type IovaDomain,
  PageTable,
  PagingDomain,
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
import { BrokenHeader, type JsonRecord } from '../suite.ts';
import { recordedTableShape } from './recorded-table-shape.ts';

/** The device of a file with everything behind it. */
export interface RecordedDevice {
  readonly dev: Device;
  /** Null on a machine without an IOMMU. */
  readonly domain: PagingDomain | null;
  readonly iovad: IovaDomain | null;
  readonly log: EventLog;
}

const PAGE = 4096;
const lowRam: PhysRange = { base: physAddr(0), bytes: 2 ** 31 };
const DMA_DOMAIN = 3;
const busAddress = matching(/^[0-9a-f]{4,}:[0-9a-f]{2}:[0-9a-f]{2}\.[0-7]$/, 'domain:bus:device.function');

/** Invalidations have no effect that these suites record. */
const silentOps: IommuDomainOps = { iotlbSync() {}, flushIotlbAll() {}, iotlbSyncMap: null };

/** Builds the start state of a file; throws {@link BrokenHeader} when the header does not describe one. */
export function recordedDevice(header: JsonRecord): RecordedDevice {
  read(header, 'page_size', exactly(PAGE));
  const cpus = read(header, 'ncpus', cpuCount);
  const active = read(header, 'swiotlb_active', flag);
  const dmaMask = read(header, 'dma_mask', hexNumber);
  const memory = new PhysicalMemory();
  for (const { base, bytes } of active ? lowAndHighRam : [lowRam]) memory.addRam(base, bytes);
  const log = new EventLog();
  const platform = new DmaPlatform({
    memory,
    log,
    clock: new Clock(),
    cpus,
    swiotlb: { active, pool: null },
  });
  platform.currentCpu = read(header, 'cpu', within(0, cpus - 1));
  const dev = pciDevice({
    name: read(header, 'dev', busAddress),
    platform,
    untrusted: read(header, 'untrusted', flag),
    dmaMask,
  });
  dmaSetMinAlignMask(dev, read(header, 'min_align_mask', orAbsent(word)) ?? 0);
  const domain = domainOf(header, new FrameAllocator(memory, lowRam), memory, log);
  iommuSetupDmaOps(dev, domain);
  dmaSetMask(dev, dmaMask);
  if (domain === null) return { dev, domain, iovad: null, log };
  const { iovad } = iommuGetDmaCookie(domain);
  try {
    restore(header, iovad);
  } catch (error) {
    // A tree, remembered nodes and caches that do not fit together are the file's fault, not the model's.
    if (error instanceof InternalError) throw new BrokenHeader(error.message);
    throw error;
  }
  dev.pci32BitWorkaround = read(header, 'pci_32bit_workaround', flag);
  return { dev, domain, iovad, log };
}

function domainOf(
  header: JsonRecord,
  frames: FrameAllocator,
  memory: PhysicalMemory,
  log: EventLog,
): PagingDomain | null {
  if (read(header, 'domain_type', orNull(exactly(DMA_DOMAIN))) === null) return null;
  const geometry = geometryOf(header);
  const { format, vaBits, pgsizeBitmap } = recordedTableShape(
    read(header, 'pgsize_bitmap', hexNumber),
    geometry.apertureLastFrame,
  );
  const table = new PageTable({ format, memory, frames, vaBits, pgsizeBitmap });
  return new PagingDomain({ table, ops: silentOps, type: 'dma', geometry, log });
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

const lowAndHighRam: readonly PhysRange[] = [lowRam, { base: physAddr(2 ** 32), bytes: 2 ** 30 }];
