// FrameAllocator: frames from the top, zeroed when used again, faults on demand, and no frame given back twice.
import { fc, test } from '@fast-check/vitest';
import { InternalError, PhysicalMemory, physAddr } from '@sgfree/hw-model';
import { describe, expect, it } from 'vitest';
import { FrameAllocator } from './frame-allocator.ts';

function setUp(frames = 8): { memory: PhysicalMemory; allocator: FrameAllocator } {
  const memory = new PhysicalMemory();
  memory.addRam(physAddr(0x10000), frames * 4096);
  return { memory, allocator: new FrameAllocator(memory, { base: physAddr(0x10000), bytes: frames * 4096 }) };
}

describe('FrameAllocator', () => {
  it('starts at the top of its window and ends at its bottom', () => {
    const { allocator } = setUp(3);
    expect([1, 2, 3, 4].map(() => allocator.alloc())).toEqual([0x12, 0x11, 0x10, -1]);
    expect(allocator.liveFrames).toBe(3);
  });

  it('uses the frame that was freed last, as zeroes', () => {
    const { memory, allocator } = setUp();
    const [first, second] = [allocator.alloc(), allocator.alloc()];
    memory.frameWords(second)[1023] = 5;
    allocator.free(first);
    allocator.free(second);
    expect(allocator.alloc()).toBe(second);
    expect(memory.frameWords(second)[1023]).toBe(0);
    expect(allocator.alloc()).toBe(first);
  });

  it('fails after as many allocations as asked, until the fault is lifted', () => {
    const { allocator } = setUp();
    allocator.failAfter = 2;
    expect([1, 2, 3, 4].map(() => allocator.alloc() >= 0)).toEqual([true, true, false, false]);
    allocator.failAfter = -1;
    expect(allocator.alloc()).toBeGreaterThanOrEqual(0);
  });

  it('takes back only what it gave', () => {
    const { allocator } = setUp();
    const frame = allocator.alloc();
    allocator.free(frame);
    for (const wrong of [frame, frame - 1, 0, 0x10000, -1]) {
      expect(() => allocator.free(wrong)).toThrow(InternalError);
    }
    expect(allocator.liveFrames).toBe(0);
  });

  it('has a window of RAM', () => {
    const { memory } = setUp();
    expect(() => new FrameAllocator(memory, { base: physAddr(0), bytes: 4096 })).toThrow(InternalError);
  });
});

test.prop([fc.array(fc.option(fc.nat()), { maxLength: 100 })])('never gives a frame twice', (steps) => {
  const { memory, allocator } = setUp();
  const live: number[] = [];
  for (const pick of steps) {
    if (pick !== null && live.length > 0) {
      const [frame] = live.splice(pick % live.length, 1);
      allocator.free(frame as number);
    } else {
      const frame = allocator.alloc();
      expect(frame === -1).toBe(live.length === 8);
      if (frame === -1) continue;
      expect(live).not.toContain(frame);
      expect(memory.frameBytes(frame).every((byte) => byte === 0)).toBe(true);
      memory.frameBytes(frame).fill(1);
      live.push(frame);
    }
    expect(allocator.liveFrames).toBe(live.length);
  }
});
