// The gap mask and the class that follows from it, against the definition in words.

import { fc, test } from '@fast-check/vitest';
import { physAddr } from '@sgfree/hw-model';
import { describe, expect, it } from 'vitest';
import { unwrapped } from '../test/outcome-value.ts';
import { requestsOf } from './bio-split.ts';
import type { BioVec } from './bio-vec.ts';
import { type BlockRequest, lowestSetBit, reqPhysGapMask } from './block-request.ts';
import type { QueueLimits } from './queue-limits.ts';
import { requestClassOf } from './request-class.ts';

const limits: QueueLimits = {
  logicalBlockBytes: 512,
  maxBytes: 131072,
  maxSegments: 33,
  maxSegmentBytes: 0xffffffff,
  segmentBoundaryMask: 0xffffffff,
  virtBoundaryMask: 0,
  dmaAlignmentMask: 3,
};
const GRANULE = 4095;

const piece = (phys: number, bytes: number): BioVec => ({ phys: physAddr(phys), bytes });
const requests = (...pieces: BioVec[]): BlockRequest[] =>
  unwrapped(requestsOf({ operation: 'read', position: 0, iovecs: [pieces] }, 'base-pages', limits));
const one = (...pieces: BioVec[]): BlockRequest => {
  const [first, ...more] = requests(...pieces);
  if (first === undefined || more.length > 0) throw new Error('not one request');
  return first;
};

test.prop([fc.integer({ min: 0, max: 2 ** 31 - 1 })])('lowestSetBit is ffs', (bits) => {
  let expected = 0;
  for (let bit = 30; bit >= 0; bit -= 1) if (Math.floor(bits / 2 ** bit) % 2 === 1) expected = bit + 1;
  expect(lowestSetBit(bits)).toBe(expected);
});

describe('the gap mask', () => {
  test.prop([fc.integer({ min: 1, max: 12 }), fc.integer({ min: 0, max: 12 })])(
    'is not 0 exactly when the gap is finer than the boundary: bit %i, 2^%i',
    (gapBit, boundaryShift) => {
      const request = { ...one(piece(0x1000, 512)), physGapBit: gapBit };
      const mask = 2 ** boundaryShift - 1;
      expect(reqPhysGapMask(request, mask) !== 0).toBe(2 ** (gapBit - 1) < 2 ** boundaryShift);
    },
  );

  it('is 0 without a gap', () => {
    expect(reqPhysGapMask({ ...one(piece(0x1000, 512)), physGapBit: 0 }, GRANULE)).toBe(0);
  });
});

describe('the class of a request', () => {
  it.each([
    ['one page', 'single', [piece(0x1000, 4096)]],
    ['part of a page', 'single', [piece(0x1200, 512)]],
    ['whole pages anywhere', 'two-step', [piece(0x8000, 4096), piece(0x3000, 4096)]],
    ['neighbouring pages: still one bio_vec each', 'two-step', [piece(0x8000, 4096), piece(0x9000, 4096)]],
    ['a late start and an early end', 'two-step', [piece(0x8200, 3584), piece(0x3000, 512)]],
    ['a gap in the middle', 'per-segment', [piece(0x8000, 512), piece(0x3000, 4096)]],
    ['a late second start', 'per-segment', [piece(0x8000, 4096), piece(0x3200, 512)]],
    ['a junction inside a page, though it touches', 'per-segment', [piece(0x8000, 512), piece(0x8200, 512)]],
    ['a gap of 4 bytes', 'per-segment', [piece(0x8000, 4092), piece(0x3000, 4), piece(0x4000, 4096)]],
  ] as const)('%s: %s', (_what, expected, pieces) => {
    expect(requestClassOf(one(...pieces), GRANULE)).toBe(expected);
  });

  it('is never two-step without an IOMMU', () => {
    expect(requestClassOf(one(piece(0x8000, 4096), piece(0x3000, 4096)), 0)).toBe('per-segment');
    expect(requestClassOf(one(piece(0x8000, 4096)), 0)).toBe('single');
  });

  it('counts the gap right behind a request that was full', () => {
    const pages = Array.from({ length: 33 }, (_, i) => piece(0x100000 + i * 0x2000, 4096));
    const fitting = pages.slice(0, 32);
    const [full, rest] = requests(...fitting, piece(0x900200, 4096));
    expect(full?.bytes).toBe(131072);
    expect(requestClassOf(full as BlockRequest, GRANULE)).toBe('per-segment');
    expect(requestClassOf(rest as BlockRequest, GRANULE)).toBe('two-step');
    const [aligned] = requests(...pages);
    expect(requestClassOf(aligned as BlockRequest, GRANULE)).toBe('two-step');
  });

  it('keeps its segment count when rounding down to whole blocks drops a bio_vec', () => {
    const words = Array.from({ length: 32 }, (_, i) => piece(0x100000 + i * 0x1000, i === 0 ? 512 : 4));
    const [first] = requests(...words, piece(0x900000, 4), piece(0x910000, 512 - 32 * 4));
    expect(first).toMatchObject({ bytes: 512, physicalSegments: 33 });
    expect(first?.vecs).toHaveLength(1);
    expect(requestClassOf(first as BlockRequest, GRANULE)).toBe('per-segment');
  });
});
