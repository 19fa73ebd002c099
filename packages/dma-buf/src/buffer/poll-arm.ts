// PollArm: one direction in which a buffer is polled: at most one callback waits on its fences at a time.
// Source followed: struct dma_buf_poll_cb_t in include/linux/dma-buf.h.
// Simplified: whoever polls counts the wake-ups instead of sleeping in a wait queue.

import { DmaFenceCb } from '../fence/fence-callback.ts';

/**
 * State of one poll direction.
 * @public
 */
export class PollArm {
  /** True while a callback waits. */
  armed = false;
  /** Times that pollers were woken. */
  wakeups = 0;
  /** @internal */
  readonly cb: DmaFenceCb = new DmaFenceCb();
}
