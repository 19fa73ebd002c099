// DmaResv: the reservation object of a buffer: a lock, and the fences of everybody who uses the memory.
// Source followed: drivers/dma-buf/dma-resv.c and include/linux/dma-resv.h; slab sizes of mm/slab_common.c.
// Simplified: one lock at a time: no acquire contexts that back off from each other's locks; one list that is replaced,
// never changed under a reader between two points.

import { type ModelTask, TaskMutex } from '@sgfree/hw-model';
import { warnViolation } from '@sgfree/mm';
import type { DmaBufPlatform } from '../dma-buf-platform.ts';
import { type DmaFence, dmaFencePut } from '../fence/dma-fence.ts';
import type { DmaResvUsage } from './resv-usage.ts';

/**
 * A fence in a reservation.
 * @public
 */
export interface DmaResvEntry {
  readonly fence: DmaFence;
  readonly usage: DmaResvUsage;
}

/**
 * The fences of a reservation; a reader that finds another list than before starts again.
 * @internal
 */
export interface DmaResvList {
  readonly entries: DmaResvEntry[];
  /** Entries there is room for. */
  capacity: number;
}

/**
 * A reservation object.
 * @kernel dma_resv
 * @public
 */
export class DmaResv {
  readonly platform: DmaBufPlatform;
  /** The reservation lock. */
  readonly mutex: TaskMutex;
  /** Null until slots were first reserved. @internal */
  list: DmaResvList | null = null;

  constructor(platform: DmaBufPlatform, name = 'dma_resv') {
    this.platform = platform;
    const { scheduler, order } = platform;
    this.mutex = new TaskMutex({ name, lockClass: 'dma_resv', scheduler, order });
  }
}

/**
 * Makes an unlocked reservation without fences.
 * @kernel dma_resv_init
 * @public
 */
export function dmaResvInit(platform: DmaBufPlatform, name?: string): DmaResv {
  return new DmaResv(platform, name);
}

/**
 * Ends a reservation: the references of its fences are given back.
 * @kernel dma_resv_fini
 * @public
 */
export function dmaResvFini(obj: DmaResv): void {
  for (const { fence } of obj.list?.entries ?? []) dmaFencePut(fence);
  obj.list = null;
}

/**
 * Waits for the reservation lock and takes it.
 * @kernel dma_resv_lock
 * @public
 */
export function* dmaResvLock(obj: DmaResv): ModelTask<void> {
  yield* obj.mutex.lock();
}

/**
 * Takes the reservation lock if it is free.
 * @kernel dma_resv_trylock
 * @public
 */
export function dmaResvTrylock(obj: DmaResv): boolean {
  return obj.mutex.tryLock();
}

/**
 * Gives the lock back. A kernel that debugs its mutexes takes back the slots that were reserved and not used.
 * @kernel dma_resv_unlock
 * @public
 */
export function dmaResvUnlock(obj: DmaResv): void {
  if (obj.list !== null && obj.platform.debugMutexes) obj.list.capacity = obj.list.entries.length;
  obj.mutex.unlock();
}

/**
 * True when the running task holds the lock.
 * @kernel dma_resv_held
 * @public
 */
export function dmaResvHeld(obj: DmaResv): boolean {
  return obj.mutex.heldByCurrent;
}

/**
 * Posts a violation `resv-not-held` unless the running task holds the lock; `rule` names what needed it.
 * @kernel dma_resv_assert_held
 * @public
 */
export function dmaResvAssertHeld(obj: DmaResv, rule = 'resv-not-held'): void {
  if (!dmaResvHeld(obj)) warnViolation(obj.platform.log, rule, { resv: obj.mutex.name });
}
