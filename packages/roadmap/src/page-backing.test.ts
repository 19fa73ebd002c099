// What a list tells of the pages behind its buffers.

import { addOffset, type PhysAddr, physAddr } from '@sgfree/hw-model';
import fc from 'fast-check';
import { expect, it } from 'vitest';
import type { IoRecord, MemoryPiece } from './io-record.ts';
import { guessBacking } from './page-backing.ts';

const PAGE = 4096;
const HUGE = 512 * PAGE;

const pagesFrom = (start: PhysAddr, count: number): MemoryPiece[] =>
  Array.from({ length: count }, (_, page) => ({ phys: addOffset(start, page * PAGE), bytes: PAGE }));

const ioOf = (...iovecs: MemoryPiece[][]): IoRecord => ({ operation: 'read', position: 0, iovecs });
const at = (frame: number): PhysAddr => physAddr(frame * PAGE);

it.each([
  ['nvio_huge.jsonl', 'huge-pages'],
  ['io/strict/nvio_wide.jsonl.gz', 'base-pages'],
  ['list.jsonl', 'base-pages'],
] as const)('little memory: %s says %s', (name, backing) => {
  expect(guessBacking(name, [ioOf(pagesFrom(at(0x1000), 8))]).backing).toBe(backing);
});

it('a gap inside a huge page outweighs the name', () => {
  const torn = [...pagesFrom(at(0x1000), 2), ...pagesFrom(at(0x1008), 2)];
  expect(guessBacking('nvio_huge.jsonl', [ioOf(torn)]).backing).toBe('base-pages');
});

it('gaps between iovecs and between huge pages prove nothing', () => {
  const two = [...pagesFrom(at(0x1000), 512), ...pagesFrom(at(0x4000), 2)];
  expect(guessBacking('list.jsonl', [ioOf(two, pagesFrom(at(0x9003), 1))])).toEqual({
    backing: 'huge-pages',
    reason: 'all 512 page junctions are contiguous',
  });
});

it('buffers cut from huge pages are never taken for ordinary pages when there are enough of them', () => {
  const buffers = fc.array(
    fc.record({ huge: fc.nat({ max: 1000 }), page: fc.nat({ max: 511 }), pages: fc.nat({ max: 600 }) }),
    { minLength: 1, maxLength: 8 },
  );
  fc.assert(
    fc.property(buffers, (made) => {
      const iovecs = made.map(({ huge, page, pages }) =>
        pagesFrom(addOffset(physAddr(huge * HUGE), page * PAGE), pages + 1),
      );
      const junctions = iovecs.reduce((sum, pieces) => sum + pieces.length - 1, 0);
      const expected = junctions >= 512 ? 'huge-pages' : 'base-pages';
      expect(guessBacking('list.jsonl', [ioOf(...iovecs)]).backing).toBe(expected);
    }),
  );
});
