// Splitting: cuts a bio into requests that respect the limits of the queue.
// Source followed: block/blk-merge.c (bio_split_io_at, bvec_split_segs, bio_split_rw): segments counted in bio_vecs,
// the cut rounded down to whole logical blocks.
// Simplified: no chunk_sectors, no atomic writes; a physical block equals a logical block; an I/O that cannot be split
// fails whole, while Linux has then submitted the requests before that place.

import { addOffset, alignDown, offsetWithin, PAGE_SIZE } from '@sgfree/hw-model';
import { Errno, failure, type Outcome, success } from '@sgfree/mm';
import { type BioVec, cutBioVecs, junctionBits, type PageBacking, totalBytes } from './bio-vec.ts';
import { type BlockRequest, lowestSetBit } from './block-request.ts';
import { type Bio, buildBios, type DirectIo } from './direct-io.ts';
import { maxSegmentSizeAt, type QueueLimits } from './queue-limits.ts';

/** What one pass over a bio finds out before the bio is cut. */
interface Measured {
  bytes: number;
  segments: number;
  /** Or-ed address bits of every junction looked at, that to a first bio_vec which no longer fits included. */
  gaps: number;
}

/** Bytes of `vecs` that fit one request, and what they count for. */
function measure(vecs: readonly BioVec[], limits: QueueLimits): Measured {
  const maxBytes = alignDown(limits.maxBytes, limits.logicalBlockBytes);
  const measured: Measured = { bytes: 0, segments: 0, gaps: 0 };
  for (const [index, vec] of vecs.entries()) {
    const before = vecs[index - 1];
    if (before !== undefined) {
      const bits = junctionBits(before, vec);
      if ((bits & limits.virtBoundaryMask) !== 0) break;
      // Noted before it is known whether the bio_vec fits: a gap right behind a full request counts against it.
      measured.gaps |= bits;
    }
    if (!takeWhole(vec, maxBytes, limits, measured)) break;
  }
  return measured;
}

/** Counts the segments of `vec` as far as they fit (`bvec_split_segs`); false when some of it does not. */
function takeWhole(vec: BioVec, maxBytes: number, limits: QueueLimits, measured: Measured): boolean {
  const most = Math.min(vec.bytes, maxBytes - measured.bytes);
  let taken = 0;
  while (taken < most && measured.segments < limits.maxSegments) {
    taken += Math.min(maxSegmentSizeAt(limits, addOffset(vec.phys, taken)), most - taken);
    measured.segments += 1;
    if ((offsetWithin(addOffset(vec.phys, taken), PAGE_SIZE) & limits.virtBoundaryMask) !== 0) break;
  }
  measured.bytes += taken;
  return taken === vec.bytes;
}

/**
 * The requests a bio becomes, in order; EINVAL when it is not whole blocks, or when some part of it lies in pieces so
 * small that no block fits the limits.
 * @public
 */
export function splitBio(bio: Bio, limits: QueueLimits): Outcome<BlockRequest[]> {
  const requests: BlockRequest[] = [];
  let { position, vecs } = bio;
  let left = totalBytes(vecs);
  if (alignDown(left, limits.logicalBlockBytes) !== left) return failure(Errno.EINVAL);
  while (left > 0) {
    const fit = measure(vecs, limits);
    const bytes = alignDown(fit.bytes, limits.logicalBlockBytes);
    if (bytes === 0) return failure(Errno.EINVAL);
    const { head, tail } = cutBioVecs(vecs, bytes);
    // As in Linux neither segments nor gaps are counted again after rounding down.
    const shape = { physicalSegments: fit.segments, physGapBit: lowestSetBit(fit.gaps) };
    requests.push({ operation: bio.operation, position, bytes, vecs: head, ...shape, limits });
    position += bytes;
    left -= bytes;
    vecs = tail;
  }
  return success(requests);
}

/**
 * All requests of a direct I/O on a queue with these limits, in the order they reach the driver; EINVAL when position or
 * length is not whole blocks, memory is not aligned as the queue asks, or a part of it cannot be split.
 * @public
 */
export function requestsOf(io: DirectIo, backing: PageBacking, limits: QueueLimits): Outcome<BlockRequest[]> {
  if (!isAligned(io, limits)) return failure(Errno.EINVAL);
  const requests: BlockRequest[] = [];
  for (const bio of buildBios(io, backing, limits.logicalBlockBytes)) {
    const part = splitBio(bio, limits);
    if (!part.ok) return part;
    requests.push(...part.value);
  }
  return success(requests);
}

/** What the kernel checks before it pins a page (blkdev_dio_invalid). */
function isAligned({ position, iovecs }: DirectIo, limits: QueueLimits): boolean {
  const unit = limits.dmaAlignmentMask + 1;
  return (
    alignDown(position, limits.logicalBlockBytes) === position &&
    iovecs
      .flat()
      .every(({ phys, bytes }) => alignDown(phys, unit) === phys && alignDown(bytes, unit) === bytes)
  );
}
