// Two-step links of an untrusted device over the real bounce pool: head and tail bounce, the middle does not, every byte
// arrives and comes back, and nothing is left when the pool runs out half-way.

import { type DmaDataDirection, NO_ATTRS, SwiotlbPool } from '@sgfree/dma-core';
import { addOffset, offsetWithin, physAddr } from '@sgfree/hw-model';
import { iommuIovaToPhys } from '@sgfree/iommu';
import fc from 'fast-check';
import { expect, it } from 'vitest';
import { twoStepMachine } from '../test/two-step-machine.ts';
import { DmaIovaState, dmaIovaDestroy, dmaIovaFree, dmaIovaLink, dmaIovaTryAlloc } from './index.ts';

const PAGE = 4096;
const POOL = 0x600_0000;
const BUFFER = 0x100_0000;

function bouncing(slots: number) {
  const pool = new SwiotlbPool({ start: physAddr(POOL), slots });
  const machine = twoStepMachine({ device: { untrusted: true }, swiotlb: { active: true, pool } });
  machine.dev.minAlignMask = PAGE - 1;
  const state = new DmaIovaState();
  /** The page behind each page of the range. */
  const pages = (size: number): number[] => {
    const first = addOffset(state.addr, -offsetWithin(state.addr, PAGE));
    const count = Math.ceil((offsetWithin(state.addr, PAGE) + size) / PAGE);
    return Array.from({ length: count }, (_, page) =>
      Number(iommuIovaToPhys(machine.domain, addOffset(first, page * PAGE))),
    );
  };
  return { ...machine, slots: pool, state, pages };
}

/** Compares without the cost of a matcher on long arrays. */
const sameBytes = (left: Uint8Array, right: Uint8Array): boolean =>
  left.length === right.length && left.every((byte, at) => byte === right[at]);

const inPool = (phys: number): boolean => phys >= POOL && phys < POOL + 2 ** 20;

it('only edges that do not fill a page are in the pool, and bytes go both ways', () => {
  const shapes = fc.record({
    offset: fc.nat({ max: PAGE - 1 }),
    size: fc.integer({ min: 1, max: 5 * PAGE }),
    dir: fc.constantFrom<DmaDataDirection>('to-device', 'from-device', 'bidirectional'),
  });
  fc.assert(
    fc.property(shapes, ({ offset, size, dir }) => {
      const { dev, memory, domain, iovad, slots, state, pages } = bouncing(256);
      const phys = physAddr(BUFFER + offset);
      const bytes = Uint8Array.from({ length: size }, (_, at) => 1 + (at % 251));
      memory.write(phys, bytes);
      expect(dmaIovaTryAlloc(dev, state, phys, size)).toBe(true);
      expect(dmaIovaLink(dev, state, phys, 0, size, dir, NO_ATTRS)).toBe(0);
      const end = offset + size;
      const behind = pages(size);
      expect(behind.map(inPool)).toEqual(
        behind.map((_, page) => page * PAGE < offset || (page + 1) * PAGE > end),
      );
      expect(state.usesSwiotlb).toBe(behind.some(inPool));
      const seen = new Uint8Array(behind.length * PAGE);
      for (const [page, at] of behind.entries()) memory.read(physAddr(at), seen, page * PAGE, PAGE);
      expect(sameBytes(seen.subarray(offset, end), bytes)).toBe(true);
      for (const at of behind) memory.write(physAddr(at), new Uint8Array(PAGE).fill(0xff));
      dmaIovaDestroy(dev, state, size, dir, NO_ATTRS);
      const after = new Uint8Array(size);
      memory.read(phys, after);
      const written = (at: number): boolean =>
        dir !== 'to-device' || !inPool(behind[Math.floor((offset + at) / PAGE)] as number);
      const expected = bytes.map((byte, at) => (written(at) ? 0xff : byte));
      expect(sameBytes(after, expected)).toBe(true);
      expect([slots.usedSlots, domain.table.liveLeafEntries, iovad.liveRanges]).toEqual([0, 0, 0]);
    }),
    { numRuns: 80 },
  );
});

it('no slot for the tail: -ENOMEM, and head and middle are taken back', () => {
  const { dev, domain, iovad, slots, state } = bouncing(128);
  // All but one page of slots.
  const taken = slots.map(dev, physAddr(BUFFER), 63 * PAGE, PAGE - 1);
  expect(taken).toBe(POOL);
  expect(slots.usedSlots).toBe(126);
  const phys = physAddr(BUFFER + 0x200);
  expect(dmaIovaTryAlloc(dev, state, phys, 3 * PAGE)).toBe(true);
  expect(dmaIovaLink(dev, state, phys, 0, 3 * PAGE, 'bidirectional', NO_ATTRS)).toBe(-12);
  expect(slots.usedSlots).toBe(126);
  expect(domain.table.liveLeafEntries).toBe(0);
  dmaIovaFree(dev, state);
  expect(iovad.liveRanges).toBe(0);
});
