// The order of fences on one timeline.
// Source followed: __dma_fence_is_later and its users in include/linux/dma-fence.h.
// Simplified: none.

import { warnViolation } from '@sgfree/mm';
import { type DmaFence, fenceName } from './dma-fence.ts';

/** True when `seqno` comes after `other` on the timeline of `fence`. */
function seqnoIsLater(fence: DmaFence, seqno: number, other: number): boolean {
  if (fence.seqno64) return seqno > other;
  // The difference of two 32-bit numbers as a signed one, so that the order survives a wrap.
  return ((seqno - other) | 0) > 0;
}

/**
 * True when `f1` comes after `f2`; fences of different contexts have no order (a violation, and false).
 * @kernel dma_fence_is_later
 * @public
 */
export function dmaFenceIsLater(f1: DmaFence, f2: DmaFence): boolean {
  if (f1.context !== f2.context) {
    warnViolation(f1.platform.log, 'fence-order-contexts', { f1: fenceName(f1), f2: fenceName(f2) });
    return false;
  }
  return seqnoIsLater(f1, f1.seqno, f2.seqno);
}

/**
 * True when both are one fence, or `f1` comes after `f2`.
 * @kernel dma_fence_is_later_or_same
 * @public
 */
export function dmaFenceIsLaterOrSame(f1: DmaFence, f2: DmaFence): boolean {
  return f1 === f2 || dmaFenceIsLater(f1, f2);
}
