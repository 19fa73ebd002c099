// Which words name which range, and which blocks cover a range exactly: tables against the specification, and brute force.
import { fc, test as propertyTest } from '@fast-check/vitest';
import { describe, expect, test } from 'vitest';
import {
  buildCompletionWait,
  buildInvAll,
  buildInvDte,
  buildInvIommuPages,
  buildInvIotlbPages,
  buildInvWholeDomain,
  COMMAND_WORDS,
} from './command-words.ts';
import { buildInvAddress, exactBlockOrder } from './invalidation-address.ts';

const hex = (words: Uint32Array): string => Array.from(words, (word) => word.toString(16)).join(' ');
const built = (build: (words: Uint32Array) => void): string => {
  // Whatever was there before must not shine through.
  const words = new Uint32Array(COMMAND_WORDS).fill(0xffffffff);
  build(words);
  return hex(words);
};

describe('commands', () => {
  test.each<[string, (words: Uint32Array) => void, string]>([
    [
      'COMPLETION_WAIT',
      (words) => buildCompletionWait(words, [0x12345000, 0x6], [0x89abcdef, 1]),
      '12345001 10000006 89abcdef 1',
    ],
    ['INVALIDATE_DEVTAB_ENTRY', (words) => buildInvDte(words, 0x4100), '4100 20000000 0 0'],
    [
      'INVALIDATE_IOMMU_PAGES, one page',
      (words) => buildInvIommuPages(words, 0x2e, 0x5a3c7, 0x5a3c7, false),
      '0 3000002e 5a3c7000 0',
    ],
    [
      'INVALIDATE_IOMMU_PAGES, one page and the tables above',
      (words) => buildInvIommuPages(words, 0xffff, 0x123456789, 0x123456789, true),
      '0 3000ffff 56789002 1234',
    ],
    [
      'INVALIDATE_IOMMU_PAGES, two pages',
      (words) => buildInvIommuPages(words, 2, 0xffffe, 0xfffff, false),
      '0 30000002 ffffe001 0',
    ],
    [
      'INVALIDATE_IOMMU_PAGES, the whole domain',
      (words) => buildInvWholeDomain(words, 2),
      '0 30000002 fffff003 7fffffff',
    ],
    [
      'INVALIDATE_IOTLB_PAGES',
      (words) => buildInvIotlbPages(words, 0x0108, 17, 0x200, 0x3ff),
      '11000108 40000108 2ff001 0',
    ],
    ['INVALIDATE_IOMMU_ALL', buildInvAll, '0 80000000 0 0'],
  ])('%s', (_title, build, expected) => {
    expect(built(build)).toBe(expected);
  });
});

describe('the address of a range', () => {
  // First and last byte, then the address with its size bit, all as the specification counts: in bytes.
  test.each<[string, bigint, bigint, bigint]>([
    ['4 KiB', 0x1000n, 0x1fffn, 0x1000n],
    ['8 KiB: no ones', 0x2000n, 0x3fffn, 0x2001n],
    ['two pages across a boundary of 16 KiB', 0x7000n, 0x8fffn, 0x7001n],
    ['16 KiB', 0x4000n, 0x7fffn, 0x5001n],
    ['three pages', 0x4000n, 0x6fffn, 0x5001n],
    ['2 MiB', 0x200000n, 0x3fffffn, 0x2ff001n],
    ['two pages across 2 MiB: 4 MiB', 0x1ff000n, 0x200fffn, 0x1ff001n],
    ['4 GiB', 0x100000000n, 0x1ffffffffn, 0x17ffff001n],
    ['across 4 GiB', 0xfffff000n, 0x100000fffn, 0xfffff001n],
    ['the largest that is told apart', 0n, 2n ** 52n - 1n, 0x7fffffffff001n],
    ['twice that is everything', 0n, 2n ** 53n - 1n, 0x7ffffffffffff001n],
    ['everything', 0n, 2n ** 64n - 1n, 0x7ffffffffffff001n],
  ])('%s', (_title, first, last, expected) => {
    const words = new Uint32Array(2);
    buildInvAddress(words, 0, Number(first >> 12n), Number(last >> 12n));
    expect((BigInt(words[1] as number) << 32n) + BigInt(words[0] as number)).toBe(expected);
  });

  /** The block that an address with a size bit names, bit by bit as the specification says. */
  function blockOf(address: bigint): [bigint, bigint] {
    if ((address & 1n) === 0n) return [address >> 12n, address >> 12n];
    let bit = 12n;
    while (((address >> bit) & 1n) === 1n) bit += 1n;
    const size = 2n ** (bit + 1n - 12n);
    const start = ((address >> 12n) / size) * size;
    return [start, start + size - 1n];
  }

  const page = fc.oneof(
    fc.integer({ min: 0, max: 5000 }),
    fc.integer({ min: 0, max: 2 ** 40 - 1 }),
    fc.integer({ min: 0, max: 2 ** 52 - 1 }),
  );
  propertyTest.prop([page, page])('names the smallest aligned block around the range', (one, other) => {
    const [first, last] = [BigInt(Math.min(one, other)), BigInt(Math.max(one, other))];
    const words = new Uint32Array(2);
    buildInvAddress(words, 0, Number(first), Number(last));
    const [from, to] = blockOf((BigInt(words[1] as number) << 32n) + BigInt(words[0] as number));
    let size = 1n;
    while (first / size !== last / size) size *= 2n;
    if (size > 2n ** 40n) expect([from, to]).toEqual([0n, 2n ** 52n - 1n]);
    else expect([from, to]).toEqual([(first / size) * size, (first / size) * size + size - 1n]);
  });
});

describe('blocks that cover a range exactly', () => {
  const split = (first: number, last: number): [number, number][] => {
    const blocks: [number, number][] = [];
    for (let at = first; at <= last; ) {
      const pages = 2 ** exactBlockOrder(at, last);
      blocks.push([at, pages]);
      at += pages;
    }
    return blocks;
  };

  test.each<[string, number, number, [number, number][]]>([
    ['one page', 5, 5, [[5, 1]]],
    ['an aligned block', 0x200, 0x3ff, [[0x200, 0x200]]],
    [
      'from zero',
      0,
      6,
      [
        [0, 4],
        [4, 2],
        [6, 1],
      ],
    ],
    [
      'up and down again',
      3,
      12,
      [
        [3, 1],
        [4, 4],
        [8, 4],
        [12, 1],
      ],
    ],
    ['the whole space', 0, 2 ** 52 - 1, [[0, 2 ** 52]]],
    [
      'all but one page',
      0,
      2 ** 52 - 2,
      Array.from({ length: 52 }, (_, at) => [2 ** 52 - 2 ** (52 - at), 2 ** (51 - at)]),
    ],
  ])('%s', (_title, first, last, blocks) => {
    expect(split(first, last)).toEqual(blocks);
  });

  /** The largest size that is aligned at `at` and fits, by trying all. */
  function largest(at: bigint, last: bigint): bigint {
    let best = 1n;
    for (let size = 1n; size <= 2n ** 52n; size *= 2n)
      if (at % size === 0n && at + size - 1n <= last) best = size;
    return best;
  }
  const page = fc.oneof(fc.integer({ min: 0, max: 300 }), fc.integer({ min: 0, max: 2 ** 52 - 1 }));
  propertyTest.prop([page, page])('are the largest ones, one after another', (one, other) => {
    const [first, last] = [Math.min(one, other), Math.max(one, other)];
    let at = BigInt(first);
    for (const [start, pages] of split(first, last)) {
      expect([BigInt(start), BigInt(pages)]).toEqual([at, largest(at, BigInt(last))]);
      at += BigInt(pages);
    }
    expect(at).toBe(BigInt(last) + 1n);
  });
});
