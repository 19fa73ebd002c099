// Waiting for a fence, with a timeout and for signals.
// Source followed: dma_fence_wait_timeout and dma_fence_default_wait in drivers/dma-buf/dma-fence.c.
// Simplified: a tick is a millisecond of the machine's clock; without a clock only a timeout of 0 or for ever makes sense.

import { type ClockTimer, InternalError, type ModelTask } from '@sgfree/hw-model';
import { Errno, warnViolation } from '@sgfree/mm';
import { type DmaFence, fenceName } from './dma-fence.ts';
import {
  DmaFenceCb,
  dmaFenceAddCallback,
  dmaFenceEnableSwSignaling,
  dmaFenceRemoveCallback,
} from './fence-callback.ts';

/**
 * The timeout that never comes.
 * @kernel MAX_SCHEDULE_TIMEOUT
 * @public
 */
export const MAX_SCHEDULE_TIMEOUT: number = Number.POSITIVE_INFINITY;

/**
 * Waits up to `timeoutMs` milliseconds (0 = only look) for `fence`. What is left of the timeout, at least 1, when it is
 * signaled; 0 when the time is over; -EINVAL for a negative timeout (a violation `fence-timeout-negative`); -ERESTARTSYS
 * when `interruptible` and the task has a signal pending, even if the fence signaled at the same time.
 * @kernel dma_fence_wait_timeout
 * @public
 */
export function* dmaFenceWaitTimeout(
  fence: DmaFence,
  interruptible: boolean,
  timeoutMs: number,
): ModelTask<number> {
  if (!(timeoutMs >= 0)) {
    warnViolation(fence.platform.log, 'fence-timeout-negative', { fence: fenceName(fence), timeoutMs });
    return -Errno.EINVAL;
  }
  dmaFenceEnableSwSignaling(fence);
  const { ops } = fence;
  if (ops?.wait !== undefined) return yield* ops.wait(fence, interruptible, timeoutMs);
  return yield* dmaFenceDefaultWait(fence, interruptible, timeoutMs);
}

/**
 * How a fence is waited for whose driver has no way of its own; as {@link dmaFenceWaitTimeout}.
 * @kernel dma_fence_default_wait
 * @public
 */
export function* dmaFenceDefaultWait(
  fence: DmaFence,
  interruptible: boolean,
  timeoutMs: number,
): ModelTask<number> {
  const { platform } = fence;
  if (fence.signaled) return Math.max(timeoutMs, 1);
  if (interruptible && platform.signalPending()) return -Errno.ERESTARTSYS;
  if (timeoutMs === 0) return 0;
  const cb = new DmaFenceCb();
  const { current } = platform.scheduler;
  const woken = (): boolean =>
    cb.queuedOn === null || over(deadline) || (interruptible && platform.signalPending(current));
  const deadline = startDeadline(fence, timeoutMs);
  dmaFenceAddCallback(fence, cb, () => {});
  yield { at: 'dma-fence:wait', until: woken };
  dmaFenceRemoveCallback(fence, cb);
  if (deadline !== null) deadline.timer.cancelled = true;
  const left = deadline === null ? timeoutMs : deadline.timer.dueMs - platform.nowMs;
  // The fence's signal in the very last tick is too late, and a signal to the task hides it, as in the kernel.
  if (left <= 0) return 0;
  return interruptible && platform.signalPending() ? -Errno.ERESTARTSYS : left;
}

interface Deadline {
  readonly timer: ClockTimer;
  reached: boolean;
}

const over = (deadline: Deadline | null): boolean => deadline?.reached === true;

function startDeadline(fence: DmaFence, timeoutMs: number): Deadline | null {
  if (timeoutMs === MAX_SCHEDULE_TIMEOUT) return null;
  const { clock } = fence.platform.scheduler;
  if (clock === undefined) throw new InternalError('a wait with a timeout needs a scheduler with a clock');
  const deadline = { reached: false };
  const timer = clock.after(timeoutMs, () => {
    deadline.reached = true;
  });
  return Object.assign(deadline, { timer });
}

/**
 * Waits for ever; 0, or -ERESTARTSYS when `interruptible` and the task has a signal pending.
 * @kernel dma_fence_wait
 * @public
 */
export function* dmaFenceWait(fence: DmaFence, interruptible: boolean): ModelTask<number> {
  const left = yield* dmaFenceWaitTimeout(fence, interruptible, MAX_SCHEDULE_TIMEOUT);
  return Math.min(left, 0);
}
