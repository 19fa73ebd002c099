// A command on memory that is mapped already: whatever the ranges, the controller finds exactly them behind its data pointer, and every
// descriptor block goes back.
import { fc, test } from '@fast-check/vitest';
import { DescriptorPools, type QueueLimits, TrackingMemory } from '@sgfree/block';
import type { Device } from '@sgfree/dma-core';
import {
  addOffset,
  type DmaAddr,
  dmaAddr,
  frameOf,
  NVME_SGL,
  offsetWithin,
  PAGE_SIZE,
  PhysicalMemory,
  physAddr,
} from '@sgfree/hw-model';
import { describe, expect, it } from 'vitest';
import { type MappedIod, type MappedRange, MappedRangeMapper } from './mapped-range-mapper.ts';

const LIMITS = {} as QueueLimits;
const POOL = physAddr(2 ** 20);

/** A mapper over pools of `pages` pages, which lie where the device finds them under the same addresses. */
function mapperOf(pages: number, sglThreshold: number, sglSupport = 1) {
  const memory = new PhysicalMemory();
  memory.addRam(physAddr(0), 2 ** 24);
  let taken = 0;
  const source = {
    alloc: (bytes: number) => {
      if (taken === pages) return null;
      taken += 1;
      const phys = addOffset(POOL, taken * PAGE_SIZE);
      return { phys, dma: dmaAddr(phys), bytes };
    },
    free: () => undefined,
  };
  const tracking = new TrackingMemory();
  const pools = new DescriptorPools(source, memory, tracking);
  const policy = { sglSupport, sglThreshold };
  // No device is asked for anything: that is the point.
  const mapper = new MappedRangeMapper({ dev: {} as Device, pools, tracking, policy });
  return { memory, mapper, tracking, pools };
}

const bytesOf = (ranges: readonly MappedRange[]): number => ranges.reduce((sum, { bytes }) => sum + bytes, 0);

function iodFor(mapper: MappedRangeMapper, ranges: readonly MappedRange[]): MappedIod {
  const bytes = bytesOf(ranges);
  const shape = { vecs: [], physicalSegments: ranges.length, physGapBit: 0, limits: LIMITS };
  return mapper.newIod({ operation: 'read', position: 0, bytes, ranges, ...shape });
}

/** Every page that ranges name. */
const pagesOf = (ranges: Iterable<MappedRange>): number[] =>
  [...ranges].flatMap(({ address, bytes }) =>
    Array.from({ length: bytes / PAGE_SIZE }, (_, page) => addOffset(address, page * PAGE_SIZE)),
  );

const le64 = (view: DataView, at: number): number =>
  view.getUint32(at, true) + 2 ** 32 * view.getUint32(at + 4, true);

function viewAt(memory: PhysicalMemory, address: DmaAddr): DataView {
  const page = memory.frameBytes(frameOf(physAddr(address)));
  return new DataView(page.buffer, page.byteOffset + offsetWithin(address, PAGE_SIZE));
}

/** The ranges of an SGL as a controller reads them. */
function sglOf(memory: PhysicalMemory, { entry }: MappedIod): MappedRange[] {
  const pointer = entry.dataPointer;
  const one = (view: DataView, at: number): MappedRange => ({
    address: dmaAddr(le64(view, at)),
    bytes: view.getUint32(at + 8, true),
  });
  if (pointer.getUint8(15) !== NVME_SGL.lastSegment) return [one(pointer, 0)];
  const { address, bytes } = one(pointer, 0);
  const list = viewAt(memory, address);
  return Array.from({ length: bytes / 16 }, (_, index) => one(list, index * 16));
}

/** The pages of PRPs as a controller reads them; lists are chained by their last entry. */
function prpsOf(memory: PhysicalMemory, { entry, request }: MappedIod): number[] {
  const count = request.bytes / PAGE_SIZE;
  const pages: number[] = [entry.prp1];
  if (count === 2) return [...pages, entry.prp2];
  let [list, at] = [dmaAddr(entry.prp2), 0];
  while (pages.length < count) {
    const value = le64(viewAt(memory, list), at);
    const isPointer = offsetWithin(list, PAGE_SIZE) + at === PAGE_SIZE - 8 && count - pages.length > 1;
    if (isPointer) [list, at] = [dmaAddr(value), 0];
    else pages.push(value);
    at = isPointer ? 0 : at + 8;
  }
  return pages;
}

/** Ranges of whole pages that do not adjoin. */
const someRanges = fc.array(fc.integer({ min: 1, max: 12 }), { minLength: 1, maxLength: 24 }).map((lengths) =>
  lengths.map((pages, index) => ({
    address: dmaAddr(2 ** 32 + index * 2 ** 20),
    bytes: pages * PAGE_SIZE,
  })),
);

describe('a command', () => {
  test.prop({ ranges: someRanges, threshold: fc.constantFrom(0, 4096, 16384, 32768), sgls: fc.boolean() })(
    'names exactly the ranges of its request',
    ({ ranges, threshold, sgls }) => {
      const { memory, mapper, tracking } = mapperOf(8, threshold, sgls ? 1 : 0);
      const iod = iodFor(mapper, ranges);
      expect(mapper.mapData(iod)).toBe('ok');
      const wantsSgl = sgls && threshold > 0 && bytesOf(ranges) / ranges.length >= threshold;
      expect(iod.entry.flags !== 0).toBe(wantsSgl);
      if (wantsSgl) expect(sglOf(memory, iod)).toEqual(ranges);
      else expect(prpsOf(memory, iod)).toEqual(pagesOf(ranges));
      mapper.unmapData(iod);
      expect([tracking.held, iod.descriptors]).toEqual([0, []]);
    },
  );

  it.each([0, 4096])('without room for a descriptor fails and keeps nothing (threshold %d)', (threshold) => {
    const { mapper, tracking, pools } = mapperOf(0, threshold);
    const ranges = [0, 1, 2].map((index) => ({ address: dmaAddr(2 ** 32 + index * 2 ** 20), bytes: 8192 }));
    const iod = iodFor(mapper, ranges);
    expect(mapper.mapData(iod)).toBe('resource');
    expect([tracking.held, pools.small.liveBlocks, pools.large.liveBlocks]).toEqual([0, 0, 0]);
  });

  it('is one descriptor in the command itself for one range', () => {
    const { memory, mapper, tracking } = mapperOf(0, 4096);
    const ranges = [{ address: dmaAddr(2 ** 33), bytes: 65536 }];
    const iod = iodFor(mapper, ranges);
    expect(mapper.mapData(iod)).toBe('ok');
    expect([sglOf(memory, iod), tracking.takenBytes]).toEqual([ranges, 0]);
  });
});
