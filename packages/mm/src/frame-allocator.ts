// FrameAllocator: hands out single 4 KiB page frames of RAM, zeroed, as alloc_pages(order 0) does for table pages.
// Frames come from the top of a RAM window downwards and freed ones are used again, newest first.
// Simplified: no orders above 0, no zones, no watermarks; a fault can be planted for sweeps.

import { frameOf, InternalError, PAGE_SIZE, type PhysicalMemory, type PhysRange } from '@sgfree/hw-model';

/**
 * Allocator of zeroed page frames within one window of RAM.
 * @public
 */
export class FrameAllocator {
  readonly #memory: PhysicalMemory;
  readonly #lowest: number;
  /** One byte per frame of the window: 1 while it is handed out. */
  readonly #taken: Uint8Array;
  readonly #free: number[] = [];
  #next: number;
  #live = 0;
  /** Allocations still allowed before one fails, -1 = never (for fault sweeps). */
  failAfter = -1;

  constructor(memory: PhysicalMemory, window: PhysRange) {
    if (!memory.isRam(window.base, window.bytes)) throw new InternalError('frame window is not RAM');
    this.#memory = memory;
    this.#lowest = frameOf(window.base);
    const count = Math.floor(window.bytes / PAGE_SIZE);
    this.#taken = new Uint8Array(count);
    this.#next = this.#lowest + count - 1;
  }

  /** Frames handed out and not yet returned. */
  get liveFrames(): number {
    return this.#live;
  }

  /** A zeroed frame's number, or -1 when the window is used up (-ENOMEM of the caller). */
  alloc(): number {
    if (this.failAfter === 0) return -1;
    if (this.failAfter > 0) this.failAfter -= 1;
    const recycled = this.#free.pop();
    if (recycled === undefined && this.#next < this.#lowest) return -1;
    const frame = recycled ?? this.#next--;
    if (recycled !== undefined) this.#memory.frameWords(frame).fill(0);
    this.#taken[frame - this.#lowest] = 1;
    this.#live += 1;
    return frame;
  }

  /** Returns a frame taken by {@link FrameAllocator.alloc}; throws {@link @sgfree/hw-model#InternalError} for any other. */
  free(frame: number): void {
    if (this.#taken[frame - this.#lowest] !== 1) throw new InternalError(`frame ${frame} is not allocated`);
    this.#taken[frame - this.#lowest] = 0;
    this.#live -= 1;
    this.#free.push(frame);
  }
}
