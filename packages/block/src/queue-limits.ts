// QueueLimits: what one request to a disk may look like.
// Source followed: include/linux/blkdev.h (struct queue_limits) and /sys/block/<disk>/queue/*.
// Simplified: the limits that shape data requests; none for discard, zones, atomic writes or chunks.

import { offsetWithin, type PhysAddr } from '@sgfree/hw-model';

/**
 * Limits of a request queue. Sizes in bytes.
 * @public
 */
export interface QueueLimits {
  /** `logical_block_size`: every request starts and ends on a multiple of it. */
  readonly logicalBlockBytes: number;
  /** `max_sectors_kb` * 1024: most bytes of a request. */
  readonly maxBytes: number;
  /** `max_segments`: most segments of a request, counted in bio_vecs. */
  readonly maxSegments: number;
  /** `max_segment_size`: most bytes of a segment. */
  readonly maxSegmentBytes: number;
  /** `seg_boundary_mask`: inclusive mask a segment must not cross. */
  readonly segmentBoundaryMask: number;
  /** `virt_boundary_mask`: inner junctions must lie on multiples of mask + 1; 0 = anywhere. */
  readonly virtBoundaryMask: number;
  /** `dma_alignment`: mask that memory addresses and lengths must respect. */
  readonly dmaAlignmentMask: number;
}

/**
 * Most bytes that a segment starting at `phys` may have (`get_max_segment_size`).
 * @internal
 */
export function maxSegmentSizeAt(limits: QueueLimits, phys: PhysAddr): number {
  const window = limits.segmentBoundaryMask + 1;
  return Math.min(window - offsetWithin(phys, window), limits.maxSegmentBytes);
}
