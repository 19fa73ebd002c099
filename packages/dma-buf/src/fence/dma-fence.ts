// DmaFence: a promise of hardware work, unsignaled until it is signaled once and for ever.
// Source followed: drivers/dma-buf/dma-fence.c and include/linux/dma-fence.h.
// Simplified: no interrupts, so the fence's spinlock is what lies between two yield points; sequence numbers are exact
// below 2^53; names of drivers and timelines are kept for reports only.

import type { ModelTask } from '@sgfree/hw-model';
import { DmaApiViolation, Errno, warnViolation } from '@sgfree/mm';
import type { DmaBufPlatform } from '../dma-buf-platform.ts';
import type { DmaFenceCb } from './fence-callback.ts';

/**
 * What a driver does for its fences; all optional.
 * @public
 */
export interface DmaFenceOps {
  readonly name?: string;
  /** Arms the hardware to signal; false says that the work is already done. */
  enableSignaling?(fence: DmaFence): boolean;
  /** Looks whether the work is done. */
  signaled?(fence: DmaFence): boolean;
  /** Called when the last reference goes. */
  release?(fence: DmaFence): void;
  /** Waits in the driver's own way; as `dmaFenceWaitTimeout`. */
  wait?(fence: DmaFence, interruptible: boolean, timeoutMs: number): ModelTask<number>;
}

/**
 * What a fence is made with.
 * @public
 */
export interface DmaFenceIdentity {
  /** Timeline of the fence; fences of different contexts have no order. */
  readonly context: number;
  readonly seqno: number;
  /** True when sequence numbers are compared as 64-bit unsigned ones instead of by their 32-bit difference. */
  readonly seqno64?: boolean;
}

/**
 * A fence. Made by `dmaFenceInit`; the maker holds the first reference.
 * @kernel dma_fence
 * @public
 */
export class DmaFence {
  readonly platform: DmaBufPlatform;
  readonly context: number;
  readonly seqno: number;
  readonly seqno64: boolean;
  /** Null once a fence whose driver neither releases nor waits has signaled: the driver may be gone by then. */
  ops: DmaFenceOps | null;
  /** The flag alone; `dmaFenceIsSignaled` also asks the driver. */
  signaled = false;
  /** True once somebody wants to be told. */
  signalingEnabled = false;
  /** When it signaled, in milliseconds; null before. */
  timestampMs: number | null = null;
  /** 0 or the negative errno of the work. */
  error = 0;
  /** References; the object is gone at 0. */
  refs = 1;
  /** Callbacks that wait for the signal, the oldest first. */
  callbacks: DmaFenceCb[] = [];

  /** True for a fence made of others. */
  get isContainer(): boolean {
    return false;
  }

  constructor(platform: DmaBufPlatform, ops: DmaFenceOps, identity: DmaFenceIdentity) {
    this.platform = platform;
    this.ops = ops;
    this.context = identity.context;
    this.seqno = identity.seqno;
    this.seqno64 = identity.seqno64 ?? false;
  }
}

/**
 * Makes an unsignaled fence with one reference.
 * @kernel dma_fence_init
 * @public
 */
export function dmaFenceInit(
  platform: DmaBufPlatform,
  ops: DmaFenceOps,
  identity: DmaFenceIdentity,
): DmaFence {
  return new DmaFence(platform, ops, identity);
}

/**
 * True for arrays and chains, which hide the contexts of what they hold.
 * @kernel dma_fence_is_container
 * @public
 */
export function dmaFenceIsContainer(fence: DmaFence): boolean {
  return fence.isContainer;
}

/**
 * Takes `num` (at least 1) fresh contexts; the first one. The first ever handed out is 1.
 * @kernel dma_fence_context_alloc
 * @public
 */
export function dmaFenceContextAlloc(platform: DmaBufPlatform, num: number): number {
  return platform.takeContexts(num);
}

/**
 * Takes a reference; null stays null. Throws `DmaApiViolation` `fence-after-release` for a fence that is gone.
 * @kernel dma_fence_get
 * @public
 */
export function dmaFenceGet<F extends DmaFence | null>(fence: F): F {
  if (fence === null) return fence;
  if (fence.refs === 0) throw new DmaApiViolation('fence-after-release', fenceName(fence));
  fence.refs += 1;
  return fence;
}

/**
 * Gives a reference back; null is ignored. The last one releases the fence: if it is unsignaled and somebody still
 * waits, that is a violation `fence-released-unsignaled` and it signals with -EDEADLK.
 * @kernel dma_fence_put
 * @public
 */
export function dmaFencePut(fence: DmaFence | null): void {
  if (fence === null) return;
  if (fence.refs === 0) throw new DmaApiViolation('fence-after-release', fenceName(fence));
  if (fence.refs === 1) release(fence);
  else fence.refs -= 1;
}

function release(fence: DmaFence): void {
  if (fence.callbacks.length > 0 && !fence.signaled) {
    warnViolation(fence.platform.log, 'fence-released-unsignaled', { fence: fenceName(fence) });
    fence.error = -Errno.EDEADLK;
    dmaFenceSignal(fence);
  }
  fence.refs = 0;
  fence.ops?.release?.(fence);
}

/**
 * Signals the fence; true when it had been signaled before. The first signal runs the callbacks, the oldest first.
 * @kernel dma_fence_check_and_signal
 * @public
 */
export function dmaFenceCheckAndSignal(fence: DmaFence): boolean {
  if (fence.signaled) return true;
  fence.signaled = true;
  fence.timestampMs ??= fence.platform.nowMs;
  if (fence.ops?.release === undefined && fence.ops?.wait === undefined) fence.ops = null;
  const waiting = fence.callbacks;
  fence.callbacks = [];
  for (const cb of waiting) cb.queuedOn = null;
  for (const cb of waiting) cb.func(fence, cb);
  return false;
}

/**
 * Signals the fence; nothing happens when it was signaled before.
 * @kernel dma_fence_signal
 * @public
 */
export function dmaFenceSignal(fence: DmaFence): void {
  dmaFenceCheckAndSignal(fence);
}

/**
 * True when the fence is signaled; a driver that says that its work is done makes it so.
 * @kernel dma_fence_is_signaled
 * @public
 */
export function dmaFenceIsSignaled(fence: DmaFence): boolean {
  if (fence.signaled) return true;
  if (fence.ops?.signaled?.(fence) !== true) return false;
  dmaFenceSignal(fence);
  return true;
}

/**
 * The flag alone: no driver is asked.
 * @kernel dma_fence_test_signaled_flag
 * @public
 */
export function dmaFenceTestSignaledFlag(fence: DmaFence): boolean {
  return fence.signaled;
}

/**
 * 0 while the work goes on, 1 once it ended well, else its negative errno.
 * @kernel dma_fence_get_status
 * @public
 */
export function dmaFenceGetStatus(fence: DmaFence): number {
  if (!dmaFenceIsSignaled(fence)) return 0;
  return fence.error === 0 ? 1 : fence.error;
}

const LOWEST_ERRNO = -4095;

/**
 * Notes that the work failed. `error` is a negative errno from -4095 to -1, and the fence not yet signaled; else a
 * violation `fence-error-late` or `fence-error-range` is posted, and the error is stored all the same.
 * @kernel dma_fence_set_error
 * @public
 */
export function dmaFenceSetError(fence: DmaFence, error: number): void {
  const { log } = fence.platform;
  const data = { fence: fenceName(fence), error };
  if (fence.signaled) warnViolation(log, 'fence-error-late', data);
  if (error >= 0 || error < LOWEST_ERRNO) warnViolation(log, 'fence-error-range', data);
  fence.error = error;
}

/** The name of a fence in reports. @internal */
export function fenceName(fence: DmaFence): string {
  return `${fence.ops?.name ?? 'fence'} ${fence.context}#${fence.seqno}`;
}
