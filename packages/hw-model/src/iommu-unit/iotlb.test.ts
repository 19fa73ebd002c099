import { fc, test } from '@fast-check/vitest';
import { describe, expect, it } from 'vitest';
import { Iotlb } from './iotlb.ts';
import { ACCESS_READ, ACCESS_WRITE } from './walk-format.ts';

const ALL = ACCESS_READ | ACCESS_WRITE;
const MIB_2 = 512;
const GIB_1 = 262144;

describe('Iotlb', () => {
  it('gives a page and its permissions back until it is invalidated', () => {
    const iotlb = new Iotlb({ sets: 16, ways: 2 });
    iotlb.insert(5, 0x123, 0x777, 1, ACCESS_READ);
    expect(iotlb.translate(5, 0x123, ACCESS_READ)).toBe(0x777);
    expect(iotlb.translate(5, 0x123, ACCESS_WRITE)).toBe(-1);
    expect(iotlb.translate(6, 0x123, ACCESS_READ)).toBe(-1);
    iotlb.invalidatePages(6, 0x123, 1);
    iotlb.invalidatePages(5, 0x124, 1);
    expect(iotlb.translate(5, 0x123, ACCESS_READ)).toBe(0x777);
    iotlb.invalidatePages(5, 0x123, 1);
    expect(iotlb.translate(5, 0x123, ACCESS_READ)).toBe(-1);
    expect(iotlb.live).toBe(0);
  });

  it('translates inside large pages, and keeps the aligned part of a size in between', () => {
    const iotlb = new Iotlb({ sets: 4, ways: 4 });
    iotlb.insert(1, 3 * GIB_1 + 5, 7 * GIB_1, GIB_1, ALL);
    expect(iotlb.translate(1, 3 * GIB_1 + 12345, ALL)).toBe(7 * GIB_1 + 12345);
    iotlb.insert(1, 2 * MIB_2 + 3, 0x4000, 2 * MIB_2, ALL);
    expect(iotlb.translate(1, 2 * MIB_2 + 9, ALL)).toBe(0x4000 + 9);
    expect(iotlb.translate(1, 3 * MIB_2 + 9, ALL)).toBe(-1);
    iotlb.insert(1, 3 * MIB_2 + 1, 0x4000, 2 * MIB_2, ALL);
    expect(iotlb.translate(1, 3 * MIB_2 + 9, ALL)).toBe(0x4000 + MIB_2 + 9);
    iotlb.insert(1, 21, 0x900, 8, ALL);
    expect(iotlb.translate(1, 21, ALL)).toBe(0x905);
    expect(iotlb.translate(1, 20, ALL)).toBe(-1);
  });

  it('a large page dies whole when one of its pages is invalidated', () => {
    const iotlb = new Iotlb({ sets: 4, ways: 2 });
    iotlb.insert(1, MIB_2, 0x4000, MIB_2, ALL);
    iotlb.invalidatePages(1, MIB_2 + 77, 1);
    expect(iotlb.translate(1, MIB_2, ALL)).toBe(-1);
    iotlb.insert(1, 0, 0x40000, GIB_1, ALL);
    iotlb.invalidatePages(1, GIB_1 - 1, 4 * GIB_1);
    expect(iotlb.live).toBe(0);
  });

  it('replaces the least recently used entry of a set', () => {
    const iotlb = new Iotlb({ sets: 1, ways: 3 });
    for (const page of [1, 2, 3]) iotlb.insert(0, page, page * 10, 1, ALL);
    iotlb.translate(0, 1, ALL);
    iotlb.insert(0, 4, 40, 1, ALL);
    expect(iotlb.translate(0, 2, ALL)).toBe(-1);
    expect([1, 3, 4].map((page) => iotlb.translate(0, page, ALL))).toEqual([10, 30, 40]);
    expect(iotlb.live).toBe(3);
  });

  it('takes a page in anew over its own entry', () => {
    const iotlb = new Iotlb({ sets: 2, ways: 2 });
    iotlb.insert(0, 8, 80, 1, ACCESS_READ);
    iotlb.insert(0, 8, 81, 1, ALL);
    expect(iotlb.translate(0, 8, ACCESS_WRITE)).toBe(81);
    expect(iotlb.live).toBe(1);
  });

  it('invalidates by domain and as a whole', () => {
    const iotlb = new Iotlb({ sets: 8, ways: 2 });
    iotlb.insert(1, 8, 80, 1, ALL);
    iotlb.insert(2, 8, 90, 1, ALL);
    iotlb.invalidateDomain(1);
    expect([iotlb.translate(1, 8, ALL), iotlb.translate(2, 8, ALL)]).toEqual([-1, 90]);
    iotlb.invalidateAll();
    expect(iotlb.live).toBe(0);
    expect(iotlb.translate(2, 8, ALL)).toBe(-1);
  });

  it('refuses a shape that is no cache', () => {
    expect(() => new Iotlb({ sets: 3, ways: 1 })).toThrow(/3 sets/);
    expect(() => new Iotlb({ sets: 4, ways: 0 })).toThrow(/0 ways/);
  });
});

interface Held {
  readonly domain: number;
  readonly first: number;
  readonly frames: number;
  readonly phys: number;
}

const operation = fc.record({
  what: fc.constantFrom('insert', 'insert', 'insert', 'pages', 'domain'),
  domain: fc.integer({ min: 0, max: 2 }),
  frame: fc.nat(3 * MIB_2),
  frames: fc.constantFrom(1, 1, MIB_2),
  count: fc.constantFrom(1, 2, 16, 600, 4096),
  phys: fc.nat(1000),
});

// A cache that is large enough never forgets: whatever was not invalidated must still be there.
test.prop([fc.array(operation, { maxLength: 60 })])(
  'an entry stays exactly until an invalidation meets it',
  (operations) => {
    const iotlb = new Iotlb({ sets: 4, ways: 4096 });
    let held: Held[] = [];
    for (const { what, domain, frame, frames, count, phys } of operations) {
      const first = Math.floor(frame / frames) * frames;
      if (what === 'insert') {
        held = held.filter((one) => one.domain !== domain || one.first !== first || one.frames !== frames);
        held.push({ domain, first, frames, phys: phys * MIB_2 });
        iotlb.insert(domain, frame, phys * MIB_2, frames, ALL);
      } else if (what === 'pages') {
        held = held.filter(
          (one) => one.domain !== domain || one.first + one.frames <= frame || one.first >= frame + count,
        );
        iotlb.invalidatePages(domain, frame, count);
      } else {
        held = held.filter((one) => one.domain !== domain);
        iotlb.invalidateDomain(domain);
      }
      expect(iotlb.live).toBe(held.length);
      for (const one of held) {
        const small = held.find(
          (other) => other.domain === one.domain && other.frames === 1 && other.first === one.first,
        );
        expect(iotlb.translate(one.domain, one.first, ALL)).toBe((small ?? one).phys);
      }
    }
  },
);
