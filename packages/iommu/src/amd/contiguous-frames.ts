// Contiguous frames: several adjacent page frames from an allocator that hands out single ones.
// Source followed: alloc_pages() with an order, as the AMD driver asks for its rings and its device table.
// Simplified: no alignment beyond a page, which the hardware does not ask for either.

import type { FrameAllocator } from '@sgfree/mm';

/**
 * The lowest of `count` adjacent frames, all zeroed, or -1 when there are none; other frames met on the way go back.
 * @internal
 */
export function allocContiguousFrames(frames: FrameAllocator, count: number): number {
  const taken = new Set<number>();
  let first = -1;
  while (first < 0) {
    const frame = frames.alloc();
    if (frame < 0) break;
    taken.add(frame);
    let low = frame;
    while (taken.has(low - 1)) low -= 1;
    let high = frame;
    while (taken.has(high + 1)) high += 1;
    if (high - low + 1 >= count) first = low;
  }
  // Backwards, so that the allocator goes on as if they had not been taken.
  for (const spare of [...taken].reverse()) {
    if (first < 0 || spare < first || spare >= first + count) frames.free(spare);
  }
  return first;
}
