// DmaFenceCb: somebody who wants to be told when a fence signals.
// Source followed: dma_fence_add_callback, dma_fence_remove_callback and dma_fence_enable_sw_signaling in
// drivers/dma-buf/dma-fence.c.
// Simplified: none.

import { Errno, warnViolation } from '@sgfree/mm';
import { type DmaFence, dmaFenceSignal } from './dma-fence.ts';

/**
 * A callback; it can wait for one fence at a time.
 * @kernel dma_fence_cb
 * @public
 */
export class DmaFenceCb {
  func: (fence: DmaFence, cb: DmaFenceCb) => void = () => {};
  /** The fence it waits for; null while it waits for none. */
  queuedOn: DmaFence | null = null;
}

/**
 * Has `func` called when `fence` signals. 0; -EINVAL without a fence, or for one without a function (a violation only then);
 * -ENOENT when it is signaled already, or its driver says so on being asked to signal: then nothing is called.
 * @kernel dma_fence_add_callback
 * @public
 */
export function dmaFenceAddCallback(
  fence: DmaFence | null,
  cb: DmaFenceCb,
  func: ((fence: DmaFence, cb: DmaFenceCb) => void) | null,
): number {
  if (fence === null || func === null) {
    if (fence !== null) warnViolation(fence.platform.log, 'fence-callback-null', {});
    return -Errno.EINVAL;
  }
  cb.queuedOn = null;
  if (fence.signaled || !enableSignaling(fence)) return -Errno.ENOENT;
  cb.func = func;
  cb.queuedOn = fence;
  fence.callbacks.push(cb);
  return 0;
}

/**
 * Takes the callback back; true when it had not been called (and now never will be).
 * @kernel dma_fence_remove_callback
 * @public
 */
export function dmaFenceRemoveCallback(fence: DmaFence, cb: DmaFenceCb): boolean {
  if (cb.queuedOn !== fence) return false;
  cb.queuedOn = null;
  fence.callbacks = fence.callbacks.filter((other) => other !== cb);
  return true;
}

/**
 * Asks the driver to signal without registering anything; a fence whose work is done signals at once.
 * @kernel dma_fence_enable_sw_signaling
 * @public
 */
export function dmaFenceEnableSwSignaling(fence: DmaFence): void {
  enableSignaling(fence);
}

/** False when the fence is signaled, perhaps only now. */
function enableSignaling(fence: DmaFence): boolean {
  const asked = fence.signalingEnabled;
  fence.signalingEnabled = true;
  if (fence.signaled) return false;
  if (asked || fence.ops?.enableSignaling === undefined) return true;
  if (fence.ops.enableSignaling(fence)) return !fence.signaled;
  dmaFenceSignal(fence);
  return false;
}
