// PageAllocator: blocks of page frames for buffers, as alloc_pages(order) gives them to drivers and coherent memory.
// Source followed: Documentation/core-api/memory-allocation.rst; include/linux/gfp.h (alloc_pages).
// A block of order n is 2^n frames, naturally aligned; the lowest free block is taken, so runs are reproducible.
// Simplified: a bitmap instead of a buddy system, no zones, no reclaim; a fault can be planted for sweeps.

import { frameOf, InternalError, PAGE_SIZE, type PhysicalMemory, type PhysRange } from '@sgfree/hw-model';

/**
 * Largest order a page allocation can have: 10, that is 4 MiB (`MAX_PAGE_ORDER`).
 * @public
 */
export const MAX_PAGE_ORDER = 10;

// States of a frame: never handed out (reads as zero by itself), in use, free but written.
const FRESH = 0;
const IN_USE = 1;
const WRITTEN = 2;

/**
 * Allocator of zeroed blocks of page frames within one window of RAM.
 * @public
 */
export class PageAllocator {
  readonly #memory: PhysicalMemory;
  readonly #first: number;
  readonly #state: Uint8Array;
  #live = 0;
  /** Allocations still allowed before one fails, -1 = never (for fault sweeps). */
  failAfter = -1;

  constructor(memory: PhysicalMemory, window: PhysRange) {
    if (!memory.isRam(window.base, window.bytes)) throw new InternalError('page window is not RAM');
    this.#memory = memory;
    this.#first = frameOf(window.base);
    this.#state = new Uint8Array(Math.floor(window.bytes / PAGE_SIZE));
  }

  /** Frames handed out and not yet returned. */
  get liveFrames(): number {
    return this.#live;
  }

  /** Frames of the window. */
  get frameCount(): number {
    return this.#state.length;
  }

  /** Lowest frame of the window. */
  get firstFrame(): number {
    return this.#first;
  }

  /**
   * First frame of a naturally aligned block of 2^order zeroed frames, or -1 (-ENOMEM of the caller), which is also the
   * answer to an order above {@link MAX_PAGE_ORDER}.
   */
  allocPages(order: number): number {
    if (order > MAX_PAGE_ORDER) return -1;
    return this.allocRun(2 ** order, 2 ** order);
  }

  /** First frame of `count` consecutive zeroed frames aligned to `alignFrames`, or -1. */
  allocRun(count: number, alignFrames = 1): number {
    if (this.failAfter === 0) return -1;
    const start = this.#findRun(count, alignFrames);
    if (start < 0) return -1;
    if (this.failAfter > 0) this.failAfter -= 1;
    this.#take(start, count);
    return start;
  }

  /** Takes exactly frame `frame`; false when it is outside the window or in use. */
  allocFrameAt(frame: number): boolean {
    const state = this.#state[frame - this.#first];
    if (this.failAfter === 0 || state === undefined || state === IN_USE) return false;
    if (this.failAfter > 0) this.failAfter -= 1;
    this.#take(frame, 1);
    return true;
  }

  /** Returns a block taken by {@link PageAllocator.allocPages}. */
  freePages(frame: number, order: number): void {
    this.freeRun(frame, 2 ** order);
  }

  /** Returns `count` consecutive frames. */
  freeRun(frame: number, count: number): void {
    for (let at = frame - this.#first; at < frame - this.#first + count; at += 1) {
      if (this.#state[at] !== IN_USE) throw new InternalError(`frame ${this.#first + at} is not allocated`);
      this.#state[at] = WRITTEN;
    }
    this.#live -= count;
  }

  #findRun(count: number, alignFrames: number): number {
    const state = this.#state;
    let at = Math.ceil(this.#first / alignFrames) * alignFrames - this.#first;
    while (at + count <= state.length) {
      let taken = at + count - 1;
      while (taken >= at && state[taken] !== IN_USE) taken -= 1;
      if (taken < at) return this.#first + at;
      at = Math.ceil((this.#first + taken + 1) / alignFrames) * alignFrames - this.#first;
    }
    return -1;
  }

  #take(frame: number, count: number): void {
    for (let at = 0; at < count; at += 1) {
      const index = frame - this.#first + at;
      if (this.#state[index] !== FRESH) this.#memory.frameWords(frame + at).fill(0);
      this.#state[index] = IN_USE;
    }
    this.#live += count;
  }
}
