// Waiting for the fences of a reservation, and asking whether there is anything to wait for.
// Source followed: dma_resv_wait_timeout and dma_resv_test_signaled in drivers/dma-buf/dma-resv.c.
// Simplified: none.

import type { ModelTask } from '@sgfree/hw-model';
import { dmaFenceWaitTimeout } from '../fence/fence-wait.ts';
import type { DmaResv } from './dma-resv.ts';
import {
  dmaResvForEachFenceUnlocked,
  dmaResvIterBegin,
  dmaResvIterEnd,
  dmaResvIterFirstUnlocked,
} from './resv-iter.ts';
import type { DmaResvUsage } from './resv-usage.ts';

/**
 * Waits up to `timeoutMs` milliseconds for everything that a query for `usage` sees; the lock need not be held. What is
 * left of the timeout, at least 1; 0 when the time is over; -ERESTARTSYS as for one fence.
 * @kernel dma_resv_wait_timeout
 * @public
 */
export function* dmaResvWaitTimeout(
  obj: DmaResv,
  usage: DmaResvUsage,
  interruptible: boolean,
  timeoutMs: number,
): ModelTask<number> {
  let left = timeoutMs === 0 ? 1 : timeoutMs;
  let timeout = timeoutMs;
  for (const fence of dmaResvForEachFenceUnlocked(dmaResvIterBegin(obj, usage))) {
    left = yield* dmaFenceWaitTimeout(fence, interruptible, timeout);
    if (left <= 0) return left;
    if (timeout !== 0) timeout = left;
  }
  return left;
}

/**
 * True when nothing that a query for `usage` sees is unsignaled.
 * @kernel dma_resv_test_signaled
 * @public
 */
export function dmaResvTestSignaled(obj: DmaResv, usage: DmaResvUsage): boolean {
  const cursor = dmaResvIterBegin(obj, usage);
  const first = dmaResvIterFirstUnlocked(cursor);
  dmaResvIterEnd(cursor);
  return first === null;
}
