// ibSgToPages: the specification's vectors, and its rules against a plain replay on numbers.
import { fc, test } from '@fast-check/vitest';
import { dmaAddr } from '@sgfree/hw-model';
import { Errno } from '@sgfree/mm';
import { describe, expect, it } from 'vitest';
import { ibSgToPages } from './ib-sg-to-pages.ts';

type Pair = readonly [address: number, bytes: number];

interface Found {
  readonly result: number;
  readonly offset: number;
  readonly iova: number;
  readonly length: number;
  readonly pages: readonly number[];
}

function run(
  pairs: readonly Pair[],
  capacity: number,
  offset: number,
  pageSize: number,
  nents = pairs.length,
): Found {
  const mr = { iova: 0, length: 0, pageSize };
  const pages: number[] = [];
  const sgOffset = { value: offset };
  const ranges = pairs.map(([address, bytes]) => ({ address: dmaAddr(address), bytes }));
  const result = ibSgToPages(mr, ranges, nents, sgOffset, (_, page) => {
    if (pages.length >= capacity) return -Errno.ENOMEM;
    pages.push(page);
    return 0;
  });
  return { result, offset: sgOffset.value, iova: mr.iova, length: mr.length, pages };
}

interface Vector {
  readonly key: string;
  readonly ranges: readonly Pair[];
  readonly capacity?: number;
  readonly offset?: number;
  readonly pageSize?: number;
  readonly nents?: number;
  readonly expected: Partial<Found>;
}

const vectors: readonly Vector[] = [
  {
    key: 'first-starts-last-ends-inside',
    ranges: [
      [0x1200, 0xe00],
      [0x5000, 0x1000],
      [0x9000, 0x800],
    ],
    expected: { result: 3, offset: 0, iova: 0x1200, length: 0x2600, pages: [0x1000, 0x5000, 0x9000] },
  },
  {
    key: 'gap-behind-the-first',
    ranges: [
      [0x1200, 0xc00],
      [0x5000, 0x1000],
    ],
    expected: { result: 1, offset: 0, length: 0xc00, pages: [0x1000] },
  },
  {
    key: 'contiguous-inside-a-page',
    ranges: [
      [0x1000, 0x800],
      [0x1800, 0x1800],
    ],
    expected: { result: 2, length: 0x2000, pages: [0x1000, 0x2000] },
  },
  {
    key: 'second-starts-inside',
    ranges: [
      [0x1000, 0x1000],
      [0x5200, 0x200],
    ],
    expected: { result: 1, length: 0x1000, pages: [0x1000] },
  },
  {
    key: 'full-in-the-first',
    ranges: [[0x1000, 0x4000]],
    capacity: 2,
    expected: { result: 0, offset: 0x1000, length: 0x1000, pages: [0x1000, 0x2000] },
  },
  {
    key: 'full-in-the-first-off-a-page',
    ranges: [[0x1200, 0x4000]],
    capacity: 2,
    expected: { result: 0, offset: 0xe00, length: 0xe00 },
  },
  { key: 'nothing-to-map', ranges: [], expected: { result: -Errno.EINVAL } },
  { key: 'count-below-one', ranges: [[0x1000, 0x1000]], nents: 0, expected: { result: -Errno.EINVAL } },
  { key: 'offset-outside', ranges: [[0x1000, 0x1000]], offset: 0x1001, expected: { result: -Errno.EINVAL } },
  {
    key: 'offset-at-the-end',
    ranges: [
      [0x1000, 0x1000],
      [0x3000, 0x1000],
    ],
    offset: 0x1000,
    expected: { result: 2, offset: 0, iova: 0x2000, length: 0x1000, pages: [0x2000, 0x3000] },
  },
  {
    key: 'offset-inside',
    ranges: [[0x1000, 0x2000]],
    offset: 0x1800,
    expected: { result: 1, offset: 0, iova: 0x2800, length: 0x800, pages: [0x2000] },
  },
  {
    key: 'not-one-page-fits',
    ranges: [[0x1000, 0x1000]],
    capacity: 0,
    expected: { result: -Errno.ENOMEM, offset: 0, length: 0 },
  },
  {
    key: 'full-at-the-second',
    ranges: [
      [0x1000, 0x1000],
      [0x5000, 0x1000],
    ],
    capacity: 1,
    expected: { result: 1, offset: 0, length: 0x1000, pages: [0x1000] },
  },
  {
    key: 'first-page-starts-below-its-range',
    ranges: [[0x1200, 0x2000]],
    capacity: 1,
    expected: { result: 0, offset: 2 ** 32 - 0x200, length: -0x200, pages: [0x1000] },
  },
  {
    key: 'fewer-asked-for-than-given',
    ranges: [
      [0x1000, 0x1000],
      [0x3000, 0x1000],
      [0x5000, 0x1000],
    ],
    nents: 2,
    expected: { result: 2, length: 0x2000, pages: [0x1000, 0x3000] },
  },
  {
    key: 'large-pages',
    ranges: [
      [0x210000, 0x1f0000],
      [0x600000, 0x200000],
      [0xa00000, 0x1000],
    ],
    pageSize: 0x200000,
    expected: { result: 3, iova: 0x210000, length: 0x3f1000, pages: [0x200000, 0x600000, 0xa00000] },
  },
];

describe('the specified vectors', () => {
  it.each(vectors.map((vector) => [vector.key, vector] as const))('%s', (_, vector) => {
    const { ranges, capacity = 100, offset = 0, pageSize = 4096, nents, expected } = vector;
    expect(run(ranges, capacity, offset, pageSize, nents)).toMatchObject(expected);
  });

  it('an offset may be left out', () => {
    const mr = { iova: 0, length: 0, pageSize: 4096 };
    expect(ibSgToPages(mr, [{ address: dmaAddr(0x1000), bytes: 8 }], 1, null, () => 0)).toBe(1);
    expect(ibSgToPages(mr, [{ address: dmaAddr(0x1000), bytes: 8 }], 1, null, () => -Errno.ENOMEM)).toBe(
      -Errno.ENOMEM,
    );
  });
});

const range = fc.tuple(
  fc.oneof(
    fc.integer({ min: 1, max: 60 }).map((page) => page * 0x1000),
    fc.integer({ min: 1, max: 0x40000 }),
    // Stands for "where the last one ended".
    fc.constant(-1),
  ),
  // No empty ranges: the kernel stores a page for one, and the same page again for what follows there.
  fc.oneof(fc.constantFrom(0x1000, 0x2000, 0x800), fc.integer({ min: 1, max: 0x3000 })),
);

test.prop([
  fc.array(range, { minLength: 1, maxLength: 6 }),
  fc.integer({ min: 0, max: 9 }),
  fc.oneof(fc.constant(0), fc.integer({ min: 0, max: 0x2000 })),
  fc.constantFrom(0x1000, 0x4000),
])(
  'what it takes is a run of whole pages between its ends, and every byte of it is in its page',
  (raw, capacity, offset, pageSize) => {
    const ranges: Pair[] = [];
    for (const [address, bytes] of raw) {
      const last = ranges.at(-1);
      ranges.push([address >= 0 ? address : (last?.[0] ?? 0x5000) + (last?.[1] ?? 0), bytes]);
    }
    const found = run(ranges, capacity, offset, pageSize);
    const firstBytes = ranges[0]?.[1] ?? 0;
    if (offset >= firstBytes) {
      expect(found.result === -Errno.EINVAL).toBe(offset > firstBytes);
      return;
    }
    // Every byte that is counted, as the device will find it: by its place in the pages.
    const bytes: number[] = [];
    const wanted = found.result < 0 ? 0 : found.length;
    for (const [i, [address, length]] of ranges.entries()) {
      for (let at = i === 0 ? offset : 0; at < length && bytes.length < wanted; at += 1)
        bytes.push(address + at);
    }
    const first = found.iova % pageSize;
    for (const [i, byte] of bytes.entries()) {
      const place = first + i;
      const page = found.pages[Math.floor(place / pageSize)] ?? -1;
      if (byte !== page + (place % pageSize)) throw new Error(`byte ${i} is at ${byte}, not in ${page}`);
    }
    // It stops only where it must: at the end, at a gap inside a page, or when no more pages fit.
    if (found.result >= 0 && found.result < ranges.length && found.pages.length < capacity) {
      const none: Pair = [0, 0];
      const [next] = ranges[found.result] ?? none;
      const [before, length] = ranges[found.result - 1] ?? none;
      const end = before + length;
      expect(end !== next && (end % pageSize !== 0 || next % pageSize !== 0)).toBe(true);
    }
  },
);
