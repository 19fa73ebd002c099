// Adjacent frames are found whatever order the allocator hands frames out in, and nothing else stays taken.

import { fc, test as propertyTest } from '@fast-check/vitest';
import { PhysicalMemory, physAddr } from '@sgfree/hw-model';
import { FrameAllocator } from '@sgfree/mm';
import { expect, test } from 'vitest';
import { allocContiguousFrames } from './contiguous-frames.ts';

const FRAMES = 16;

function newFrames(): FrameAllocator {
  const memory = new PhysicalMemory();
  const ram = { base: physAddr(0), bytes: FRAMES * 4096 };
  memory.addRam(ram.base, ram.bytes);
  return new FrameAllocator(memory, ram);
}

test('frames that were never used come from the top', () => {
  const frames = newFrames();
  expect([allocContiguousFrames(frames, 3), allocContiguousFrames(frames, 2), frames.liveFrames]).toEqual([
    13, 11, 5,
  ]);
});

/** True when `count` adjacent frames are among those that are not held. */
function hasRun(held: ReadonlySet<number>, count: number): boolean {
  for (let first = 0; first + count <= FRAMES; first += 1) {
    let free = true;
    for (let frame = first; frame < first + count; frame += 1) free &&= !held.has(frame);
    if (free) return true;
  }
  return false;
}

propertyTest.prop([fc.array(fc.nat(FRAMES - 1), { maxLength: 40 }), fc.integer({ min: 1, max: 6 })])(
  'found exactly when there are some',
  (returned, count) => {
    const frames = newFrames();
    const held = new Set(Array.from({ length: FRAMES }, () => frames.alloc()));
    for (const frame of returned) if (held.delete(frame)) frames.free(frame);
    const live = frames.liveFrames;
    const first = allocContiguousFrames(frames, count);
    expect(first >= 0).toBe(hasRun(held, count));
    for (let frame = first; first >= 0 && frame < first + count; frame += 1)
      expect(held.has(frame)).toBe(false);
    expect(frames.liveFrames).toBe(live + (first < 0 ? 0 : count));
  },
);
