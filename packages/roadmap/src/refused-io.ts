// Which I/Os the block layer of the modelled machine refuses before any driver sees them.
// Source followed: the queue limits of the recorded machine (vectors/kernel/io/strict/queue_limits.txt), which a test
// compares with what the driver derives; block/blk-merge.c for what cannot be split.
// Simplified: the limits of a disk behind the IOMMU.

import { type QueueLimits, requestsOf } from '@sgfree/block/stage-1';
import type { IoRecord, PageBacking } from './io-record.ts';

/**
 * Limits of the disk's queue behind the IOMMU.
 * @public
 */
export const RECORDED_QUEUE_LIMITS: QueueLimits = {
  logicalBlockBytes: 512,
  maxBytes: 131072,
  maxSegments: 33,
  maxSegmentBytes: 0xffffffff,
  segmentBoundaryMask: 0xffffffff,
  virtBoundaryMask: 0,
  dmaAlignmentMask: 3,
};

/**
 * True when a preadv or pwritev like this fails with EINVAL: it is not whole blocks, its memory is not aligned to dwords,
 * or more than 33 pieces in a row hold less than a block.
 * @public
 */
export const isRefused = (io: IoRecord, backing: PageBacking): boolean =>
  !requestsOf(io, backing, RECORDED_QUEUE_LIMITS).ok;
