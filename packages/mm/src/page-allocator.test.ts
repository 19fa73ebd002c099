// PageAllocator and scattered buffers: alignment, reuse as zeroes, exhaustion, shapes by seed.

import { fc, test } from '@fast-check/vitest';
import { InternalError, PhysicalMemory, physAddr } from '@sgfree/hw-model';
import { describe, expect, it } from 'vitest';
import { MAX_PAGE_ORDER, PageAllocator } from './page-allocator.ts';
import { allocScattered } from './scattered-buffer.ts';

const ram = (frames: number): PageAllocator => {
  const memory = new PhysicalMemory();
  memory.addRam(physAddr(0x10_3000), frames * 4096);
  return new PageAllocator(memory, { base: physAddr(0x10_3000), bytes: frames * 4096 });
};

describe('PageAllocator', () => {
  it('aligns a block to its size and takes the lowest', () => {
    const allocator = ram(64);
    expect(allocator.allocPages(0)).toBe(0x103);
    expect(allocator.allocPages(2)).toBe(0x104);
    expect(allocator.allocPages(3)).toBe(0x108);
    expect(allocator.liveFrames).toBe(13);
  });

  it('gives zeroes back after a frame was written', () => {
    const memory = new PhysicalMemory();
    memory.addRam(physAddr(0), 8 * 4096);
    const allocator = new PageAllocator(memory, { base: physAddr(0), bytes: 8 * 4096 });
    const frame = allocator.allocPages(1);
    memory.frameWords(frame + 1)[3] = 7;
    allocator.freePages(frame, 1);
    expect(allocator.allocPages(1)).toBe(frame);
    expect(memory.frameWords(frame + 1)[3]).toBe(0);
  });

  it('refuses what does not fit and what a planted fault forbids', () => {
    const allocator = ram(8);
    expect(allocator.allocPages(3)).toBe(-1);
    allocator.failAfter = 1;
    expect(allocator.allocPages(0)).toBe(0x103);
    expect(allocator.allocPages(0)).toBe(-1);
    expect(allocator.allocFrameAt(0x105)).toBe(false);
    allocator.failAfter = -1;
    expect(allocator.allocFrameAt(0x105)).toBe(true);
  });

  it('gives blocks up to the largest order and no larger ones', () => {
    const allocator = ram(4096);
    expect(allocator.allocPages(MAX_PAGE_ORDER)).toBe(0x400);
    expect(allocator.allocPages(MAX_PAGE_ORDER + 1)).toBe(-1);
    expect(allocator.liveFrames).toBe(1024);
  });

  it('gives one frame that is asked for by number, once, inside its window only', () => {
    const allocator = ram(8);
    expect([0x104, 0x104, 0x102, 0x10b].map((frame) => allocator.allocFrameAt(frame))).toEqual([
      true,
      false,
      false,
      false,
    ]);
  });

  it('has a window of RAM', () => {
    const memory = new PhysicalMemory();
    memory.addRam(physAddr(0), 4096);
    expect(() => new PageAllocator(memory, { base: physAddr(0), bytes: 8192 })).toThrow(InternalError);
  });

  it('throws on a double free', () => {
    const allocator = ram(8);
    const frame = allocator.allocPages(0);
    allocator.freePages(frame, 0);
    expect(() => allocator.freePages(frame, 0)).toThrow(/not allocated/);
  });
});

describe('allocScattered', () => {
  it('never continues a run beyond the longest asked for', () => {
    const buffer = allocScattered(ram(512), 128, { seed: 7, runFrames: [1, 1] });
    const frames = buffer?.frames ?? new Float64Array();
    expect(new Set(frames).size).toBe(128);
    for (let at = 1; at < frames.length; at += 1) expect(frames[at]).not.toBe((frames[at - 1] ?? 0) + 1);
  });

  it('is a function of the seed, and gives everything back', () => {
    const allocator = ram(512);
    const first = allocScattered(allocator, 100, { seed: 3, runFrames: [2, 9] });
    const frames = Array.from(first?.frames ?? []);
    first?.free();
    expect(allocator.liveFrames).toBe(0);
    const second = allocScattered(allocator, 100, { seed: 3, runFrames: [2, 9] });
    expect(Array.from(second?.frames ?? [])).toEqual(frames);
  });

  it('keeps nothing when memory is used up', () => {
    const allocator = ram(16);
    expect(allocScattered(allocator, 17, { seed: 1, runFrames: [1, 4] })).toBeNull();
    expect(allocator.liveFrames).toBe(0);
  });
});

const step = fc.record({
  free: fc.boolean(),
  pick: fc.nat(),
  count: fc.integer({ min: 1, max: 9 }),
  align: fc.nat(3),
});

test.prop([fc.array(step, { maxLength: 60 })])(
  'takes the lowest run that fits, as a plain search does',
  (steps) => {
    const first = 0x103;
    const allocator = ram(40);
    const used = new Set<number>();
    const live: [number, number][] = [];
    const fits = (at: number, count: number): boolean => {
      for (let i = 0; i < count; i += 1) if (used.has(at + i) || at + i >= first + 40) return false;
      return true;
    };
    for (const { free, pick, count, align } of steps) {
      const taken = live[pick % Math.max(live.length, 1)];
      if (free && taken !== undefined) {
        live.splice(live.indexOf(taken), 1);
        allocator.freeRun(...taken);
        for (let i = 0; i < taken[1]; i += 1) used.delete(taken[0] + i);
      } else {
        const unit = 2 ** align;
        let expected = -1;
        for (let at = first; at < first + 40 && expected < 0; at += 1) {
          if (at % unit === 0 && fits(at, count)) expected = at;
        }
        expect(allocator.allocRun(count, unit)).toBe(expected);
        if (expected < 0) continue;
        live.push([expected, count]);
        for (let i = 0; i < count; i += 1) used.add(expected + i);
      }
      expect(allocator.liveFrames).toBe(used.size);
    }
  },
);

test.prop([
  fc.integer(),
  fc.integer({ min: 1, max: 6 }),
  fc.integer({ min: 0, max: 6 }),
  fc.integer({ min: 1, max: 200 }),
])(
  'a scattered buffer has the frames asked for, in runs no longer than asked',
  (seed, shortest, more, count) => {
    const allocator = ram(512);
    const longest = shortest + more;
    const buffer = allocScattered(allocator, count, { seed, runFrames: [shortest, longest] });
    const frames = Array.from(buffer?.frames ?? []);
    expect([new Set(frames).size, buffer?.bytes, allocator.liveFrames]).toEqual([count, count * 4096, count]);
    let run = 1;
    for (const [i, frame] of frames.entries()) {
      run = i > 0 && frame === (frames[i - 1] as number) + 1 ? run + 1 : 1;
      expect(run).toBeLessThanOrEqual(longest);
    }
    buffer?.free();
    expect(allocator.liveFrames).toBe(0);
  },
);

it('a scattered buffer that fails at any allocation keeps nothing', () => {
  const frames = 20;
  for (let fail = 0; ; fail += 1) {
    const allocator = ram(64);
    allocator.failAfter = fail;
    const buffer = allocScattered(allocator, frames, { seed: 5, runFrames: [2, 5] });
    if (buffer !== null) {
      expect(fail).toBe(frames);
      break;
    }
    expect(allocator.liveFrames).toBe(0);
  }
});
