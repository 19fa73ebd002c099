// Runs of a request against a byte-by-byte oracle: the same bytes in the same order, joined as far as allowed, never further.
import { fc, test } from '@fast-check/vitest';
import { addOffset, alignDown, physAddr } from '@sgfree/hw-model';
import { expect, it } from 'vitest';
import type { BioVec } from './bio-vec.ts';
import type { BlockRequest } from './block-request.ts';
import type { QueueLimits } from './queue-limits.ts';
import { SegmentIterator } from './segment-iterator.ts';

const WORD = 4;

function request(
  vecs: readonly BioVec[],
  maxSegmentBytes: number,
  segmentBoundaryMask: number,
): BlockRequest {
  const limits: QueueLimits = {
    logicalBlockBytes: 512,
    maxBytes: 2 ** 23,
    maxSegments: 256,
    maxSegmentBytes,
    segmentBoundaryMask,
    virtBoundaryMask: 0,
    dmaAlignmentMask: 3,
  };
  const bytes = vecs.reduce((sum, vec) => sum + vec.bytes, 0);
  return {
    operation: 'read',
    position: 0,
    bytes,
    vecs,
    physicalSegments: vecs.length,
    physGapBit: 0,
    limits,
  };
}

function segmentsOf(of: BlockRequest): BioVec[] {
  const iterator = new SegmentIterator(of);
  const found: BioVec[] = [];
  for (let next = iterator.next(); next !== null; next = iterator.next()) found.push(next);
  return found;
}

/** The address of every word, in order. */
const words = (vecs: readonly BioVec[]): number[] =>
  vecs.flatMap(({ phys, bytes }) =>
    Array.from({ length: bytes / WORD }, (_, i) => addOffset(phys, i * WORD)),
  );

/** Pieces that often touch: each starts where the last one ended, or somewhere else. */
const touching = fc
  .array(fc.record({ words: fc.integer({ min: 1, max: 40 }), jump: fc.constantFrom(0, 0, 0, 1, 64, 1000) }), {
    minLength: 1,
    maxLength: 30,
  })
  .map((parts) => {
    let at = physAddr(0x10000);
    return parts.map(({ words: count, jump }): BioVec => {
      const vec = { phys: addOffset(at, jump * WORD), bytes: count * WORD };
      at = addOffset(vec.phys, vec.bytes);
      return vec;
    });
  });

test.prop([touching, fc.constantFrom(64, 100, 256, 0xffffffff), fc.constantFrom(0xff, 0xfff, 0xffffffff)])(
  'every word once and in order, within segment size and boundary',
  (vecs, most, boundaryMask) => {
    const segments = segmentsOf(request(vecs, most, boundaryMask));
    expect(words(segments)).toEqual(words(vecs));
    for (const { phys, bytes } of segments) {
      expect(bytes).toBeGreaterThan(0);
      expect(bytes).toBeLessThanOrEqual(most);
      const window = boundaryMask + 1;
      expect(alignDown(phys, window)).toBe(alignDown(addOffset(phys, bytes - 1), window));
    }
  },
);

test.prop([touching])('neighbours that touch are one run when nothing limits it', (vecs) => {
  const segments = segmentsOf(request(vecs, 0xffffffff, 0xffffffff));
  for (let index = 1; index < segments.length; index += 1) {
    const before = segments[index - 1] as BioVec;
    expect(addOffset(before.phys, before.bytes)).not.toBe(segments[index]?.phys);
  }
});

it('a bio_vec joins whole or not at all, unless it opens a run', () => {
  const vecs = [
    { phys: physAddr(0x1000), bytes: 96 },
    { phys: physAddr(0x1060), bytes: 160 },
  ];
  const bytes = segmentsOf(request(vecs, 128, 0xffffffff)).map((segment) => segment.bytes);
  expect(bytes).toEqual([96, 128, 32]);
});

it('a request without data has no run', () => {
  expect(segmentsOf(request([], 64, 0xffffffff))).toEqual([]);
});
