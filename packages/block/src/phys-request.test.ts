// Requests of physical ranges: cut as the kernel cuts them inside a run, and never across a change of owner.
import { addOffset, physAddr } from '@sgfree/hw-model';
import { Errno } from '@sgfree/mm';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { requestsOf } from './bio-split.ts';
import type { BioVec } from './bio-vec.ts';
import { type PhysIo, physRequestsOf } from './phys-request.ts';
import type { QueueLimits } from './queue-limits.ts';

const limits: QueueLimits = {
  logicalBlockBytes: 512,
  maxBytes: 32768,
  maxSegments: 9,
  maxSegmentBytes: 0xffffffff,
  segmentBoundaryMask: 0xffffffff,
  virtBoundaryMask: 0,
  dmaAlignmentMask: 3,
};

interface Owner {
  readonly name: string;
}
const owners: readonly (Owner | null)[] = [null, { name: 'A' }, { name: 'B' }];

const range = fc.record({ page: fc.nat(40), offset: fc.nat(7), blocks: fc.integer({ min: 1, max: 40 }) }).map(
  ({ page, offset, blocks }): BioVec => ({
    phys: physAddr(page * 4096 + offset * 512),
    bytes: blocks * 512,
  }),
);
const io = fc.record({
  operation: fc.constantFrom('read' as const, 'write' as const),
  position: fc.nat(100).map((block) => block * 512),
  runs: fc.array(
    fc.record({
      provider: fc.constantFrom(...owners),
      ranges: fc.array(range, { minLength: 1, maxLength: 6 }),
    }),
    { minLength: 1, maxLength: 4 },
  ),
});

/** Every byte of an I/O as owner and address, in order of the disk. */
function* bytesOf(of: PhysIo<Owner>): Generator<readonly [Owner | null, number]> {
  for (const { provider, ranges } of of.runs) {
    for (const { phys, bytes } of ranges)
      for (let at = 0; at < bytes; at += 512) yield [provider, addOffset(phys, at)];
  }
}

describe('an I/O on physical memory', () => {
  it('becomes requests that hold each block once, in order, with one owner each', () => {
    fc.assert(
      fc.property(io, (one) => {
        const made = physRequestsOf(one, 'base-pages', limits);
        if (!made.ok) throw new Error(`errno ${made.errno}`);
        const blocks = bytesOf(one);
        let { position } = one;
        for (const request of made.value) {
          expect(request.position).toBe(position);
          expect(request.bytes).toBeLessThanOrEqual(limits.maxBytes);
          position += request.bytes;
          for (const { phys, bytes } of request.vecs) {
            for (let at = 0; at < bytes; at += 512)
              expect(blocks.next().value).toEqual([request.provider, addOffset(phys, at)]);
          }
        }
        expect(blocks.next().done).toBe(true);
      }),
      { numRuns: 100 },
    );
  });

  it('of one owner is cut as the same I/O on pages', () => {
    fc.assert(
      fc.property(io, ({ operation, position, runs: [run] }) => {
        const { ranges } = run as { ranges: readonly BioVec[] };
        const made = physRequestsOf(
          { operation, position, runs: [{ provider: null, ranges }] },
          'base-pages',
          limits,
        );
        const onPages = requestsOf({ operation, position, iovecs: [ranges] }, 'base-pages', limits);
        expect(made.ok && made.value.map(({ provider: _provider, ...request }) => request)).toEqual(
          onPages.ok && onPages.value,
        );
      }),
      { numRuns: 100 },
    );
  });

  it.each([
    ['a run that is not whole blocks', 0, [{ provider: null, ranges: [{ phys: physAddr(0), bytes: 256 }] }]],
    ['a position that is none', 100, [{ provider: null, ranges: [{ phys: physAddr(0), bytes: 512 }] }]],
    ['memory off the queue alignment', 0, [{ provider: null, ranges: [{ phys: physAddr(2), bytes: 512 }] }]],
    [
      'runs that are whole blocks only together',
      0,
      [
        { provider: null, ranges: [{ phys: physAddr(0), bytes: 256 }] },
        { provider: { name: 'A' }, ranges: [{ phys: physAddr(4096), bytes: 256 }] },
      ],
    ],
  ])('%s: -EINVAL', (_what, position, runs) => {
    const made = physRequestsOf<Owner>({ operation: 'read', position, runs }, 'base-pages', limits);
    expect(made).toEqual({ ok: false, errno: Errno.EINVAL });
  });
});
