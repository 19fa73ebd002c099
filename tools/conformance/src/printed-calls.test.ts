// What real calls of the DMA API leave in the event log, printed as kernel trace text and read back: every event with a
// name of the kernel's has a line, and the reader finds nothing wrong with any.
import {
  DmaPlatform,
  dmaAllocAttrs,
  dmaFreeAttrs,
  dmaMapPhys,
  dmaSetMask,
  dmaSyncSingleForCpu,
  dmaSyncSingleForDevice,
  dmaUnmapPhys,
  iommuSetupDmaOps,
  NO_ATTRS,
  pciDevice,
  SwiotlbPool,
} from '@sgfree/dma-core';
import {
  dmaMapSgtable,
  dmaSyncSgtableForCpu,
  dmaSyncSgtableForDevice,
  dmaUnmapSgtable,
} from '@sgfree/dma-sg';
import {
  addOffset,
  type DmaAddr,
  EventLog,
  PhysicalMemory,
  type PhysRange,
  physAddr,
  recordedVtdCapabilitiesCachingMode,
  VtdUnit,
} from '@sgfree/hw-model';
import { IntelIommu } from '@sgfree/iommu';
import { FrameAllocator, PageAllocator } from '@sgfree/mm';
import { TraceReader, traceLine, traceText } from '@sgfree/trace';
import { expect, test } from 'vitest';
import { tableOf } from './suites/sg-recorded-list.ts';

const DEVICE = '0000:01:00.0';
const MEBIBYTE = 2 ** 20;
const windowAt = (base: number): PhysRange => ({ base: physAddr(base), bytes: 16 * MEBIBYTE });

/** A device that bounces what fills no page, behind a unit in caching mode. */
function loggedCalls(): EventLog {
  const memory = new PhysicalMemory();
  const [tables, pages, buffers, bounce] = [0x100_0000, 0x200_0000, 0x300_0000, 0x400_0000].map(windowAt) as [
    PhysRange,
    PhysRange,
    PhysRange,
    PhysRange,
  ];
  for (const { base, bytes } of [tables, pages, buffers, bounce]) memory.addRam(base, bytes);
  const log = new EventLog();
  const pool = new SwiotlbPool({ start: bounce.base, slots: 1024 });
  const swiotlb = { active: true, pool };
  const platform = new DmaPlatform({ memory, log, pages: new PageAllocator(memory, pages), swiotlb });
  const dev = pciDevice({ name: DEVICE, platform, untrusted: true });
  const frames = new FrameAllocator(memory, tables);
  const unit = new VtdUnit(memory, { capabilities: recordedVtdCapabilitiesCachingMode });
  const iommu = new IntelIommu({ unit, memory, frames, log });
  const domain = iommu.allocPagingDomain(22);
  log.enabled = true;
  iommu.attachDevice(domain, 0x0100);
  iommuSetupDmaOps(dev, domain);
  dmaSetMask(dev, 2 ** 32 - 1);

  const block = dmaAllocAttrs(dev, 8192, NO_ATTRS);
  if (block !== null) dmaFreeAttrs(dev, block, NO_ATTRS);
  dmaAllocAttrs(dev, 8 * 16 * MEBIBYTE, NO_ATTRS);
  const phys = addOffset(buffers.base, 100);
  const address = dmaMapPhys(dev, phys, 1000, 'bidirectional', NO_ATTRS) as DmaAddr;
  dmaSyncSingleForCpu(dev, address, 1000, 'bidirectional');
  dmaSyncSingleForDevice(dev, address, 1000, 'bidirectional');
  dmaUnmapPhys(dev, address, 1000, 'bidirectional', { skipCpuSync: true });
  expect(dmaMapPhys(dev, phys, MEBIBYTE, 'to-device', NO_ATTRS)).toBe(-1);
  const table = tableOf(Array.from({ length: 130 }, (_, at) => [0x3100 + 2 * at, 0, 4096]));
  expect(dmaMapSgtable(dev, table, 'to-device', NO_ATTRS)).toBe(0);
  dmaSyncSgtableForCpu(dev, table, 'to-device');
  dmaSyncSgtableForDevice(dev, table, 'to-device');
  dmaUnmapSgtable(dev, table, 'to-device', NO_ATTRS);
  return log;
}

test('every event of real calls that has a name of the kernel’s is printed and read back', () => {
  const { events } = loggedCalls();
  const traced = events.filter(({ kind }) => /^(dma|swiotlb|iommu|intel_iommu):/.test(kind));
  expect(traced.filter((event) => traceLine(event) === undefined)).toEqual([]);
  const names: string[] = [];
  const seen: Record<string, unknown> = {};
  const reader = new TraceReader((event) => {
    names.push(`${event.system}:${event.name}`);
    if (event.name === 'dma_map_sg') Object.assign(seen, structuredClone(event));
  });
  reader.push(new TextEncoder().encode(traceText(events)));
  reader.end();
  expect(names).toEqual(traced.map(({ kind }) => kind));
  expect([...reader.tally.problems.keys()]).toEqual([]);
  expect(seen).toMatchObject({ device: DEVICE, fullNents: 130, nents: 128, truncated: true });
  expect([...new Set(names)].sort((one, other) => (one < other ? -1 : 1))).toEqual([
    'dma:dma_alloc',
    'dma:dma_free',
    'dma:dma_map_phys',
    'dma:dma_map_sg',
    'dma:dma_sync_sg_for_cpu',
    'dma:dma_sync_sg_for_device',
    'dma:dma_sync_single_for_cpu',
    'dma:dma_sync_single_for_device',
    'dma:dma_unmap_phys',
    'dma:dma_unmap_sg',
    'intel_iommu:cache_tag_flush_range',
    'intel_iommu:cache_tag_flush_range_np',
    'intel_iommu:qi_submit',
    'iommu:map',
    'iommu:unmap',
    'swiotlb:swiotlb_bounced',
  ]);
});
