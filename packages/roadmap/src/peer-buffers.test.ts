// Buffers moved into a BAR: what the block layer looks at stays as it was, whatever the list looks like.
import { addOffset, byteDistance, frameOf, offsetWithin, PAGE_SIZE, physAddr } from '@sgfree/hw-model';
import fc from 'fast-check';
import { expect, it } from 'vitest';
import { type IoRecord, piecesOf } from './io-record.ts';
import { PeerBuffers } from './peer-buffers.ts';

const BASE = physAddr(0x1000000000);

const piece = fc
  .record({
    page: fc.integer({ min: 0, max: 40 }),
    offset: fc.integer({ min: 0, max: 4095 }),
    bytes: fc.nat(9000),
  })
  .map(({ page, offset, bytes }) => ({
    phys: physAddr(0x100000000 + page * PAGE_SIZE + offset),
    bytes: bytes + 1,
  }));
const list = fc.array(
  fc.record({
    operation: fc.constantFrom('read' as const, 'write' as const),
    position: fc.constant(0),
    iovecs: fc.array(fc.array(piece, { minLength: 1, maxLength: 4 }), { minLength: 1, maxLength: 3 }),
  }),
  { minLength: 1, maxLength: 6 },
);

const pageOf = (phys: number): number => frameOf(physAddr(phys)) - frameOf(BASE);
const pairsOf = (before: readonly IoRecord[], after: readonly IoRecord[]) => {
  const moved = after.flatMap(piecesOf);
  return before.flatMap(piecesOf).map((one, i) => [one, moved[i] as typeof one] as const);
};

it('keeps lengths, offsets in pages, which pages are equal, and which are adjacent', () => {
  fc.assert(
    fc.property(list, (ios) => {
      const buffers = new PeerBuffers(ios, 1000 * PAGE_SIZE);
      const pairs = pairsOf(ios, buffers.at(BASE));
      expect(buffers.leftOut).toBe(0);
      for (const [one, moved] of pairs) {
        expect(moved.bytes).toBe(one.bytes);
        expect(offsetWithin(moved.phys, PAGE_SIZE)).toBe(offsetWithin(one.phys, PAGE_SIZE));
        const last = pageOf(addOffset(moved.phys, moved.bytes - 1));
        expect(pageOf(moved.phys) >= 0 && last < buffers.pages).toBe(true);
        for (const [other, otherMoved] of pairs) {
          const apart = frameOf(other.phys) - frameOf(one.phys);
          const movedApart = pageOf(otherMoved.phys) - pageOf(moved.phys);
          // Equal stays equal, order stays order, and only neighbours become neighbours.
          expect(Math.sign(movedApart)).toBe(Math.sign(apart));
          expect(movedApart === 1).toBe(apart === 1);
        }
      }
    }),
    { numRuns: 60 },
  );
});

const io = (...pages: readonly number[]): IoRecord => ({
  operation: 'read',
  position: 0,
  iovecs: [pages.map((page) => ({ phys: physAddr(page * PAGE_SIZE), bytes: PAGE_SIZE }))],
});

it('lays a list that is too large out anew for each I/O, and leaves out what fits in no way', () => {
  const buffers = new PeerBuffers([io(1, 2, 3), io(10, 20), io(1, 2, 3, 4, 5), io(7)], 3 * PAGE_SIZE);
  expect([buffers.pages, buffers.leftOut]).toEqual([3, 1]);
  const pages = buffers
    .at(BASE)
    .map((moved) => piecesOf(moved).map(({ phys }) => byteDistance(BASE, phys) / PAGE_SIZE));
  expect(pages).toEqual([[0, 1, 2], [0, 2], [0]]);
});

it('has nothing to place where nothing fits', () => {
  const buffers = new PeerBuffers([io(1, 3)], PAGE_SIZE);
  expect([buffers.pages, buffers.leftOut, buffers.at(BASE)]).toEqual([0, 1, []]);
});
