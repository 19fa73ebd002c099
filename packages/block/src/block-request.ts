// BlockRequest: what the block layer hands to a driver: a run of blocks and the memory they come from or go to.
// Source followed: include/linux/blk-mq.h (struct request): nr_phys_segments, phys_gap_bit.
// Simplified: one bio per request (the recorded direct I/O shows no merging across bios); data only, no integrity.

import type { BioVec } from './bio-vec.ts';
import type { IoOperation } from './direct-io.ts';
import type { QueueLimits } from './queue-limits.ts';

/**
 * A request (`struct request`).
 * @public
 */
export interface BlockRequest {
  readonly operation: IoOperation;
  /** Byte offset on the disk. */
  readonly position: number;
  /** Payload bytes (`blk_rq_payload_bytes`). */
  readonly bytes: number;
  readonly vecs: readonly BioVec[];
  /** Segments as the limits count them (`nr_phys_segments`): one per bio_vec, more when one exceeds a segment. */
  readonly physicalSegments: number;
  /**
   * 1-based number of the lowest misaligned address bit at any junction that splitting looked at, 0 = none
   * (`phys_gap_bit`). Bits of 4096 and more are not told apart from "none".
   */
  readonly physGapBit: number;
  /** Limits of the queue the request belongs to (`rq->q->limits`). */
  readonly limits: QueueLimits;
}

/**
 * 1-based number of the lowest set bit of a 32-bit word, 0 = none set.
 * @internal
 */
export const lowestSetBit = (bits: number): number => (bits === 0 ? 0 : 32 - Math.clz32(bits & -bits));

/**
 * True when some inner junction is not a multiple of `boundaryMask` + 1 (a mask below 4096).
 * The kernel asks `req_phys_gap_mask(rq) & mask`: all bits from the lowest misaligned one upward.
 * @public
 * @kernel req_phys_gap_mask
 */
export function reqPhysGapMask(request: BlockRequest, boundaryMask: number): number {
  if (request.physGapBit === 0) return 0;
  const belowGap = 2 ** (request.physGapBit - 1) - 1;
  return boundaryMask & ~belowGap;
}
