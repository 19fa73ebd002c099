// Scattered buffers: memory that is one buffer to its user and many pieces to a device, as user memory really is.
// Source followed: none in the kernel; it stands for what page faults leave behind after a machine has run a while.
// The shape (runs of neighbouring frames and the gaps between them) is a pure function of a seed.
// Simplified: fragmentation is drawn, not grown; no huge pages.

import { PAGE_SIZE } from '@sgfree/hw-model';
import type { PageAllocator } from './page-allocator.ts';
import { SeededRandom } from './seeded-random.ts';

/**
 * How a scattered buffer is to lie in memory.
 * @public
 */
export interface ScatterShape {
  /** Same seed, same free memory: same frames. */
  readonly seed: number;
  /** Shortest and longest run of neighbouring frames; `[1, 1]` scatters every page. */
  readonly runFrames: readonly [number, number];
}

/**
 * Frames of one buffer in the buffer's order.
 * @public
 */
export class ScatteredBuffer {
  readonly frames: Float64Array;
  readonly #allocator: PageAllocator;

  constructor(allocator: PageAllocator, frames: Float64Array) {
    this.#allocator = allocator;
    this.frames = frames;
  }

  /** Bytes of the buffer. */
  get bytes(): number {
    return this.frames.length * PAGE_SIZE;
  }

  /** Gives every frame back. */
  free(): void {
    for (const frame of this.frames) this.#allocator.freeRun(frame, 1);
  }
}

/**
 * Allocates `frameCount` frames in the given shape; null when memory is used up (nothing is then kept).
 * @public
 */
export function allocScattered(
  allocator: PageAllocator,
  frameCount: number,
  shape: ScatterShape,
): ScatteredBuffer | null {
  const frames = new Float64Array(frameCount);
  const random = new SeededRandom(shape.seed);
  const [shortest, longest] = shape.runFrames;
  let filled = 0;
  while (filled < frameCount) {
    const wanted = Math.min(shortest + random.below(longest - shortest + 1), frameCount - filled);
    const got = takeRun(allocator, random, frames, filled, wanted);
    if (got === 0) {
      for (let at = 0; at < filled; at += 1) allocator.freeRun(frames[at] as number, 1);
      return null;
    }
    filled += got;
  }
  return new ScatteredBuffer(allocator, frames);
}

/** Takes up to `wanted` neighbouring frames at a drawn place, never next to the run before it. */
function takeRun(
  allocator: PageAllocator,
  random: SeededRandom,
  frames: Float64Array,
  filled: number,
  wanted: number,
): number {
  const before = filled === 0 ? -1 : (frames[filled - 1] as number) + 1;
  const begin = random.below(allocator.frameCount);
  for (let probe = 0; probe < allocator.frameCount; probe += 1) {
    const frame = allocator.firstFrame + ((begin + probe) % allocator.frameCount);
    if (frame === before || !allocator.allocFrameAt(frame)) continue;
    frames[filled] = frame;
    let got = 1;
    while (got < wanted && allocator.allocFrameAt(frame + got)) {
      frames[filled + got] = frame + got;
      got += 1;
    }
    return got;
  }
  return 0;
}
