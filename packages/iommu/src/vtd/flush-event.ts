// Flush events: `cache_tag_flush_range` and `cache_tag_flush_range_np` of the intel_iommu trace system.
// Source followed: drivers/iommu/intel/trace.h, class cache_tag_flush.
// Addresses are posted as page frame and offset, because ranges reach up to the last byte of 64 bits.
// Simplified: PASID 0 only.

import type { CacheTag } from './cache-tag.ts';

/**
 * A flushed range, both ends inclusive, and the block of 2^order pages that covers it.
 * @internal
 */
export interface FlushedRange {
  startFrame: number;
  startOffset: number;
  endFrame: number;
  endOffset: number;
  /** First page frame of the block. */
  blockFrame: number;
  order: number;
}

/**
 * Posts the event of one tag; the caller has seen that the log is on.
 * @internal
 */
export function postFlushEvent(
  name: 'cache_tag_flush_range' | 'cache_tag_flush_range_np',
  tag: CacheTag,
  range: FlushedRange,
): void {
  const { unit, log } = tag.target;
  log.post({
    kind: `intel_iommu:${name}`,
    unit: unit.name,
    device: tag.deviceTlb?.name ?? unit.name,
    pasid: 0,
    type: tag.type,
    domainId: tag.domainId,
    ...range,
  });
}
