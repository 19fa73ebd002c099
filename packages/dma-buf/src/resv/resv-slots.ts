// Slots: room for fences is reserved first, because adding one must not fail once the hardware works.
// Source followed: dma_resv_reserve_fences, dma_resv_add_fence and dma_resv_replace_fences in drivers/dma-buf/dma-resv.c.
// Simplified: none.

import { DmaApiViolation, Errno, warnViolation } from '@sgfree/mm';
import {
  type DmaFence,
  dmaFenceGet,
  dmaFenceIsContainer,
  dmaFenceIsSignaled,
  dmaFencePut,
  fenceName,
} from '../fence/dma-fence.ts';
import { dmaFenceIsLaterOrSame } from '../fence/fence-order.ts';
import { type DmaResv, type DmaResvEntry, dmaResvAssertHeld } from './dma-resv.ts';
import { dmaResvListAlloc, roundUpPowerOfTwo } from './resv-list.ts';
import type { DmaResvUsage } from './resv-usage.ts';

/**
 * Makes room for `numFences` more fences under one hold of the lock; those that have signaled are dropped when the list
 * grows. 0; -EINVAL for none (a violation); -ENOMEM.
 * @kernel dma_resv_reserve_fences
 * @public
 */
export function dmaResvReserveFences(obj: DmaResv, numFences: number): number {
  dmaResvAssertHeld(obj);
  const { log } = obj.platform;
  if (numFences === 0) {
    warnViolation(log, 'resv-reserve-none', {});
    return -Errno.EINVAL;
  }
  const { list } = obj;
  const count = list?.entries.length ?? 0;
  const capacity = list?.capacity ?? 0;
  if (capacity > 0 && count + numFences <= capacity) return 0;
  // A list that an unlock left without slots is as good as none.
  const wanted =
    capacity === 0 ? Math.max(4, roundUpPowerOfTwo(numFences)) : Math.max(count + numFences, capacity * 2);
  const grown = dmaResvListAlloc(obj.platform, wanted);
  if (grown === null) return -Errno.ENOMEM;
  const signaled: DmaResvEntry[] = [];
  for (const entry of list?.entries ?? [])
    (dmaFenceIsSignaled(entry.fence) ? signaled : grown.entries).push(entry);
  obj.list = grown;
  for (const { fence } of signaled) dmaFencePut(fence);
  return 0;
}

/**
 * Adds a fence to a reserved slot and takes a reference: in place of the first fence that has signaled, or that is an
 * earlier one of the same context with no weaker usage; else at the end. A container is a violation `resv-container`.
 * Throws `DmaApiViolation` `resv-no-slot` when no slot was reserved.
 * @kernel dma_resv_add_fence
 * @public
 */
export function dmaResvAddFence(obj: DmaResv, fence: DmaFence, usage: DmaResvUsage): void {
  dmaResvAssertHeld(obj);
  if (dmaFenceIsContainer(fence))
    warnViolation(obj.platform.log, 'resv-container', { fence: fenceName(fence) });
  const { list } = obj;
  if (list === null) throw new DmaApiViolation('resv-no-slot', fenceName(fence));
  const { entries } = list;
  const at = entries.findIndex((entry) => gives(entry, fence, usage));
  const replaced = entries[at];
  if (replaced === undefined) {
    if (entries.length >= list.capacity) throw new DmaApiViolation('resv-no-slot', fenceName(fence));
    entries.push({ fence: dmaFenceGet(fence), usage });
    return;
  }
  entries[at] = { fence: dmaFenceGet(fence), usage };
  dmaFencePut(replaced.fence);
}

/** True when `old` makes way for `fence`. */
function gives(old: DmaResvEntry, fence: DmaFence, usage: DmaResvUsage): boolean {
  const superseded =
    old.fence.context === fence.context && old.usage >= usage && dmaFenceIsLaterOrSame(fence, old.fence);
  return superseded || dmaFenceIsSignaled(old.fence);
}

/**
 * Puts `replacement` with `usage` in the place of every fence of `context`.
 * @kernel dma_resv_replace_fences
 * @public
 */
export function dmaResvReplaceFences(
  obj: DmaResv,
  context: number,
  replacement: DmaFence,
  usage: DmaResvUsage,
): void {
  dmaResvAssertHeld(obj);
  const entries = obj.list?.entries ?? [];
  entries.forEach((old, at) => {
    if (old.fence.context !== context) return;
    entries[at] = { fence: dmaFenceGet(replacement), usage };
    dmaFencePut(old.fence);
  });
}
