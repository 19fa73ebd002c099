// Which lines of a trace are flushes of the file's domain, and when they fire the timer of the model.

import {
  DmaPlatform,
  dmaBitMask,
  dmaMapPhys,
  dmaSetMask,
  dmaUnmapPhys,
  type FlushQueue,
  iommuGetDmaCookie,
  iommuSetupDmaOps,
  NO_ATTRS,
  pciDevice,
} from '@sgfree/dma-core';
import { type DmaAddr, PhysicalMemory, physAddr } from '@sgfree/hw-model';
import { PageTable, PagingDomain, VtdSecondStageFormat } from '@sgfree/iommu';
import { FrameAllocator } from '@sgfree/mm';
import { expect, test } from 'vitest';
import type { FileContext } from '../suite.ts';
import { RecordedOutput } from './dma-recorded-output.ts';
import { type RecordedFlush, RecordedFlushTimer, recordedFlushes } from './recorded-flush-timer.ts';

const line = (cpu: number, text: string): string => `   sh-824     [00${cpu}] .....    17.26: ${text}`;
const flush = (cpu: number, did: number): string =>
  `   sh-824     [00${cpu}] d.s1.    17.26: cache_tag_flush_range: dmar0 dmar0[0] type iotlb did ${did} [0x0-0xffffffffffffffff] addr 0x0 mask 0x34`;
const TRACE = [
  '# tracer: nop',
  flush(0, 7),
  line(0, 'map: IOMMU: iova=0x00000000ffff0000 - 0x00000000ffff7000 paddr=0x0000000041d02000 size=28672'),
  flush(0, 8),
  line(0, 'dma_map_phys: 0000:00:08.0 dir=BIDIRECTIONAL dma_addr=fffb0000 size=46665 phys_addr=7f9b1000'),
  line(1, 'dma_map_phys: 0000:00:09.0 dir=BIDIRECTIONAL dma_addr=fffb0000 size=46665 phys_addr=7f9b1000'),
  line(0, 'cache_tag_flush_range: dmar0 dmar0[0] type iotlb did 7 [0xffff0000-0xffff7fff] addr 0x0 mask 0x3'),
  line(0, 'unmap: IOMMU: iova=0x00000000fffb0000 - 0x00000000fffbc000 size=49152 unmapped_size=49152'),
  flush(1, 7),
].join('\n');
const GROUPS = 'group 5 type=DMA-FQ devices=0000:00:08.0 0000:00:08.1 \n   resv 0x1 0x2 msi\n';

const contextOf = (files: Readonly<Record<string, string>>): FileContext => ({
  stem: 'inv_0',
  siblingNames: () => [],
  readSibling: () => null,
  readInput: (name) => files[name] ?? null,
});

test.each<[string, number, Readonly<Record<string, string>>, readonly RecordedFlush[]]>([
  [
    'its own domain',
    11,
    { 'inv_0_trace.txt': TRACE, 'topo/iommu_groups.txt': GROUPS },
    [
      { position: 0, after: 0, cpu: 0 },
      { position: 3, after: 0, cpu: 1 },
    ],
  ],
  [
    'every domain, when the group is not known',
    11,
    { 'inv_0_trace.txt': TRACE.replaceAll('\n', '\r\n') },
    [
      { position: 0, after: 0, cpu: 0 },
      { position: 1, after: 0, cpu: 0 },
      { position: 3, after: 0, cpu: 1 },
    ],
  ],
  ['none without a trace', 11, {}, []],
  ['none in strict mode', 3, { 'inv_0_trace.txt': TRACE }, []],
])('flushes of %s', (_name, domainType, files, flushes) => {
  const header = { dev: '0000:00:08.0', domain_type: domainType };
  expect(recordedFlushes(header, contextOf(files))).toEqual(flushes);
});

interface TimedMachine {
  readonly timer: RecordedFlushTimer;
  readonly queue: FlushQueue;
  readonly map: () => DmaAddr;
  readonly unmap: (address: DmaAddr) => void;
}

function timedMachine(flushes: readonly RecordedFlush[]): TimedMachine {
  const timer = new RecordedFlushTimer(flushes);
  const memory = new PhysicalMemory();
  const ram = { base: physAddr(0), bytes: 2 ** 24 };
  memory.addRam(ram.base, ram.bytes);
  const format = new VtdSecondStageFormat({ flushRange: true });
  const table = new PageTable({ format, memory, frames: new FrameAllocator(memory, ram), vaBits: 48 });
  const ops = { iotlbSync(): void {}, flushIotlbAll: () => timer.noteFlush(), iotlbSyncMap: null };
  const domain = new PagingDomain({ table, ops, type: 'dma-fq', log: timer.log });
  const dev = pciDevice({
    name: '0000:00:08.0',
    platform: new DmaPlatform({ memory, log: timer.log, cpus: 2 }),
  });
  iommuSetupDmaOps(dev, domain);
  dmaSetMask(dev, dmaBitMask(32));
  const cookie = iommuGetDmaCookie(domain);
  timer.watch(cookie);
  if (cookie.flushQueue === null) throw new Error('the domain is strict');
  return {
    timer,
    queue: cookie.flushQueue,
    map: () => dmaMapPhys(dev, physAddr(0x5000), 4096, 'to-device', NO_ATTRS) as DmaAddr,
    unmap: (address) => dmaUnmapPhys(dev, address, 4096, 'to-device', NO_ATTRS),
  };
}

function atTheEnd(timer: RecordedFlushTimer): readonly string[] {
  const output = new RecordedOutput();
  timer.finish(output);
  return output.mismatches.map(({ field }) => field);
}

test('the timer fires before the call at its position, not before a dump', () => {
  // Each call leaves two lines.
  const { timer, queue, map, unmap } = timedMachine([{ position: 4, after: 0, cpu: 1 }]);
  unmap(map());
  timer.advanceTo({ op: 'dump' });
  expect([queue.pending, queue.startCount]).toEqual([1, 0]);
  timer.advanceTo({ op: 'map_phys' });
  expect([queue.pending, queue.startCount]).toEqual([0, 1]);
  expect(atTheEnd(timer)).toEqual([]);
});

test('in the middle of a call the timer fires between its lines', () => {
  const { timer, queue, map, unmap } = timedMachine([{ position: 3, after: 0, cpu: 0 }]);
  const address = map();
  unmap(address);
  // After the line of the page table and the queueing, before the line of the call.
  expect([queue.pending, queue.startCount]).toEqual([0, 1]);
  expect(atTheEnd(timer)).toEqual([]);
});

test('a full ring uses up its own line', () => {
  const { timer, queue, map, unmap } = timedMachine([{ position: 4 * 255 + 3, after: 0, cpu: 0 }]);
  for (let done = 0; done < 256; done += 1) unmap(map());
  timer.advanceTo({ op: 'map_phys' });
  expect([queue.pending, queue.startCount]).toEqual([1, 1]);
  expect(atTheEnd(timer)).toEqual([]);
});

test('a line that is never reached, and a full ring without a line, are differences', () => {
  const late = timedMachine([{ position: 4 * 300, after: 0, cpu: 0 }]);
  for (let done = 0; done < 256; done += 1) late.unmap(late.map());
  expect(atTheEnd(late.timer)).toEqual([
    'flushes of the trace not reached',
    'full rings without a flush in the trace',
  ]);
});
