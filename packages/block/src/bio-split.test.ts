// Properties of splitting: nothing is lost, reordered or cut off a block, and no request breaks a limit.

import { fc, test } from '@fast-check/vitest';
import { alignDown, offsetWithin, physAddr } from '@sgfree/hw-model';
import { Errno, failure, success } from '@sgfree/mm';
import { describe, expect, it } from 'vitest';
import { unwrapped } from '../test/outcome-value.ts';
import { requestsOf, splitBio } from './bio-split.ts';
import { type BioVec, cutBioVecs } from './bio-vec.ts';
import { buildBios, type DirectIo } from './direct-io.ts';
import type { QueueLimits } from './queue-limits.ts';

const limits: QueueLimits = {
  logicalBlockBytes: 512,
  maxBytes: 131072,
  maxSegments: 33,
  maxSegmentBytes: 0xffffffff,
  segmentBoundaryMask: 0xffffffff,
  virtBoundaryMask: 0,
  dmaAlignmentMask: 3,
};

/** A buffer of whole blocks in pieces of any dword-aligned size, at any dword-aligned place below 1 GiB. */
const buffer = fc
  .array(
    fc.record({ at: fc.integer({ min: 0, max: 2 ** 28 - 1 }), words: fc.integer({ min: 1, max: 4096 }) }),
    {
      minLength: 1,
      maxLength: 80,
    },
  )
  .map((parts): BioVec[] => {
    const vecs = parts.map(({ at, words }) => ({ phys: physAddr(at * 4), bytes: words * 4 }));
    const total = vecs.reduce((sum, vec) => sum + vec.bytes, 0);
    const missing = alignDown(total + 511, 512) - total;
    return missing === 0 ? vecs : [...vecs, { phys: physAddr(2 ** 30), bytes: missing }];
  });

const someLimits = fc
  .record({
    blocks: fc.integer({ min: 8, max: 256 }),
    maxSegments: fc.integer({ min: 129, max: 256 }),
    segmentWords: fc.integer({ min: 256, max: 65536 }),
  })
  .map(
    ({ blocks, maxSegments, segmentWords }): QueueLimits => ({
      ...limits,
      maxBytes: blocks * 512,
      // Pieces of 4 bytes: 128 of them must fit a request, or not even one block does.
      maxSegments,
      maxSegmentBytes: segmentWords * 4,
    }),
  );

/** The bytes a list of pieces covers, with pieces that touch joined. */
function runs(vecs: Iterable<BioVec>): [number, number][] {
  const found: [number, number][] = [];
  for (const { phys, bytes } of vecs) {
    const last = found.at(-1);
    if (last !== undefined && last[0] + last[1] === phys) last[1] += bytes;
    else found.push([phys, bytes]);
  }
  return found;
}

describe('splitting', () => {
  test.prop([buffer, fc.constantFrom('base-pages' as const, 'huge-pages' as const), someLimits])(
    'covers the buffer in order, in whole blocks, within the limits',
    (pieces, backing, own) => {
      const io: DirectIo = { operation: 'read', position: 4096, iovecs: [pieces] };
      const requests = unwrapped(requestsOf(io, backing, own));
      expect(runs(requests.flatMap((request) => request.vecs))).toEqual(runs(pieces));
      let position = io.position;
      for (const request of requests) {
        expect(request.position).toBe(position);
        expect(request.bytes).toBe(request.vecs.reduce((sum, vec) => sum + vec.bytes, 0));
        expect(request.bytes).toBeGreaterThan(0);
        expect(offsetWithin(request.bytes, 512)).toBe(0);
        expect(request.bytes).toBeLessThanOrEqual(own.maxBytes);
        expect(request.physicalSegments).toBeLessThanOrEqual(own.maxSegments);
        position += request.bytes;
      }
    },
  );

  test.prop([buffer])('is greedy: no request could have held one block more', (pieces) => {
    const io: DirectIo = { operation: 'write', position: 0, iovecs: [pieces] };
    for (const bio of buildBios(io, 'base-pages', 512)) {
      const vecs = [...bio.vecs];
      const requests = unwrapped(splitBio(bio, limits));
      for (const request of requests.slice(0, -1)) {
        const { head } = cutBioVecs(vecs, request.bytes + 512);
        expect(request.bytes + 512 > limits.maxBytes || head.length > limits.maxSegments).toBe(true);
        vecs.splice(0, vecs.length, ...cutBioVecs(vecs, request.bytes).tail);
      }
    }
  });

  it('keeps a virtual boundary: no junction inside a request is finer', () => {
    const pieces = [1024, 4096, 512, 3584].map((bytes, i) => ({ phys: physAddr(0x100000 * (i + 1)), bytes }));
    const own = { ...limits, virtBoundaryMask: 4095 };
    const requests = unwrapped(
      requestsOf({ operation: 'read', position: 0, iovecs: [pieces] }, 'base-pages', own),
    );
    expect(requests.map((request) => request.bytes)).toEqual([1024, 4608, 3584]);
  });

  it('counts a bio_vec that is longer than a segment several times', () => {
    const pieces = [{ phys: physAddr(0x200000), bytes: 65536 }];
    const own = { ...limits, maxSegmentBytes: 16384 };
    const [only] = unwrapped(
      requestsOf({ operation: 'read', position: 0, iovecs: [pieces] }, 'huge-pages', own),
    );
    expect(only?.physicalSegments).toBe(4);
  });

  it('refuses what Linux refuses', () => {
    const refused = (pieces: BioVec[], position = 0) =>
      requestsOf({ operation: 'read', position, iovecs: [pieces] }, 'base-pages', limits);
    const tiny = Array.from({ length: 128 }, (_, i) => ({ phys: physAddr(0x1000 * (i + 1)), bytes: 4 }));
    expect(refused(tiny)).toEqual(failure(Errno.EINVAL));
    expect(refused([{ phys: physAddr(0x1000), bytes: 512 }], 256)).toEqual(failure(Errno.EINVAL));
    expect(refused([{ phys: physAddr(0x1002), bytes: 512 }])).toEqual(failure(Errno.EINVAL));
    expect(refused([{ phys: physAddr(0x1000), bytes: 508 }])).toEqual(failure(Errno.EINVAL));
    expect(refused([])).toEqual(success([]));
  });

  it('refuses pieces so small that not even a bio is a block', () => {
    const bytes = Array.from({ length: 512 }, (_, i) => ({ phys: physAddr(0x1000 * (i + 1)), bytes: 1 }));
    const own = { ...limits, dmaAlignmentMask: 0 };
    const io: DirectIo = { operation: 'read', position: 0, iovecs: [bytes] };
    expect(requestsOf(io, 'base-pages', own)).toEqual(failure(Errno.EINVAL));
  });
});
