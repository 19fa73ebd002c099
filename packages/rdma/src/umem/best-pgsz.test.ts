// Page-size selection: the table of the specification, and random layouts against the definition in big integers.
import { fc, test } from '@fast-check/vitest';
import { dmaAddr } from '@sgfree/hw-model';
import { describe, expect, it } from 'vitest';
import type { DmaRange } from '../dma-range.ts';
import { ibUmemFindBestPgoff, ibUmemFindBestPgsz, ibUmemIsContiguous, type UmemLayout } from './best-pgsz.ts';
import { rdmaForEachBlock, rdmaUmemForEachDmaBlock } from './block-iter.ts';
import { pageSizeBitmap, u64 } from './u64.ts';

const KIB = 1024;
const MIB = 2 ** 20;
const GIB = 2 ** 30;
const USUAL = pageSizeBitmap(4 * KIB, 64 * KIB, 2 * MIB, GIB);
type Pair = readonly [address: number, bytes: number];

const rangesOf = (pairs: readonly Pair[]): DmaRange[] =>
  pairs.map(([address, bytes]) => ({ address: dmaAddr(address), bytes }));

const layout = (address: number, length: number, pairs: readonly Pair[]): UmemLayout => ({
  address,
  length,
  odpPageShift: 0,
  iova: u64(0),
  dmaRanges: () => rangesOf(pairs),
});

const P4K = 4 * KIB;
const table: [string, number, number, number, readonly Pair[], number][] = [
  ['one aligned run', 0x40000000, 0, 4 * MIB, [[0x80000000, 4 * MIB]], GIB],
  [
    'scattered pages',
    0x7f0000000000,
    0,
    16 * KIB,
    [
      [0x10000, P4K],
      [0x30000, P4K],
      [0x50000, P4K],
      [0x70000, P4K],
    ],
    4 * KIB,
  ],
  [
    'two huge runs',
    0x40000000,
    0,
    4 * MIB,
    [
      [0x80000000, 2 * MIB],
      [0xc0000000, 2 * MIB],
    ],
    2 * MIB,
  ],
  ['same offset in a huge page', 0x40010000, 0, 2 * MIB, [[0x80010000, 2 * MIB]], GIB],
  ['offset in the page', 0x40000123, 0x123, 0x5000, [[0x80000000, 0x6000]], 64 * KIB],
  ['offset that does not agree', 0x40000000, 0x123, 0x5000, [[0x80000000, 0x6000]], 0],
  [
    'runs that continue each other',
    0x40000000,
    0,
    0x40000,
    [
      [0x80000000, 64 * KIB],
      [0x90000000, 64 * KIB],
      [0xa0000000, 128 * KIB],
    ],
    64 * KIB,
  ],
  ['one page off', 0x40000000, 0, 2 * MIB, [[0x80001000, 2 * MIB]], 4 * KIB],
  ['DMA address 0', 0x200000, 0, 4 * KIB, [[0, P4K]], 4 * KIB],
];

describe('best page size', () => {
  it.each(table)('%s', (_name, virt, offset, length, pairs, expected) => {
    const umem = layout(offset, length, pairs);
    expect(ibUmemFindBestPgsz(umem, USUAL, virt)).toBe(expected);
    expect(umem.iova).toEqual(u64(virt));
  });

  it('no size fits when only large pages exist', () => {
    const umem = layout(0, 8 * KIB, [
      [0x1000, P4K],
      [0x5000, P4K],
    ]);
    expect(ibUmemFindBestPgsz(umem, 2 * MIB, 0x40000000)).toBe(0);
  });

  it('a last byte beyond 2^64 gives none, one at 2^64 - 1 is good', () => {
    const umem = layout(0, 8 * KIB, [[0x80000000, 8 * KIB]]);
    expect(ibUmemFindBestPgsz(umem, USUAL, { high: 0xffffffff, low: 0xfffff000 })).toBe(0);
    expect(ibUmemFindBestPgsz(umem, USUAL, { high: 0xffffffff, low: 0xffffe000 })).toBe(4 * KIB);
  });

  it('on-demand memory has its own size or none', () => {
    const umem = { ...layout(0, 8 * KIB, []), odpPageShift: 12 };
    expect(ibUmemFindBestPgsz(umem, USUAL, 0)).toBe(4 * KIB);
    expect(ibUmemFindBestPgsz(umem, 2 * MIB, 0)).toBe(0);
  });

  it('asking for offsets or contiguity overwrites iova', () => {
    const umem = layout(0x123, 0x5000, [[0x80000000, 0x6000]]);
    expect(ibUmemIsContiguous(umem)).toBe(true);
    expect(umem.iova).toEqual(u64(0x80000123));
    expect(ibUmemFindBestPgoff(umem, 4 * KIB, 0xfff)).toBe(4 * KIB);
    expect(umem.iova).toEqual(u64(0x123));
    expect(
      ibUmemIsContiguous(
        layout(0, 8 * KIB, [
          [0x1000, P4K],
          [0x5000, P4K],
        ]),
      ),
    ).toBe(false);
  });

  const pages = fc.array(
    fc.record({ gap: fc.integer({ min: 0, max: 3 }), pages: fc.integer({ min: 1, max: 40 }) }),
    { minLength: 1, maxLength: 6 },
  );
  test.prop([
    pages,
    fc.bigInt({ min: 0n, max: 2n ** 64n - 1n }),
    fc.integer({ min: 0, max: 4095 }),
    fc.constantFrom(0xfffff000n, 0x40211000n, 0x10000n, 2n ** 64n - 1n),
    fc.boolean(),
  ])('random layouts as the definition says', (runs, va, offset, bitmap, agreeing) => {
    let at = 0x80000000;
    const pairs: Pair[] = runs.map(({ gap, pages: count }) => {
      const address = at + gap * P4K;
      at = address + count * P4K;
      return [address, count * P4K];
    });
    const total = pairs.reduce((sum, [, bytes]) => sum + bytes, 0);
    const length = total - offset;
    const virt = agreeing ? ((va >> 12n) << 12n) + BigInt(offset) : va;
    const half = (value: bigint) => ({ high: Number(value >> 32n), low: Number(value & 0xffffffffn) });
    const umem = layout(offset, length, pairs);
    expect(BigInt(ibUmemFindBestPgsz(umem, half(bitmap), half(virt)))).toBe(
      oracle(pairs, offset, length, bitmap, virt),
    );
  });
});

/**
 * By trying: the largest size at which every run starts with the same low bits as its address, runs after the first at a
 * page boundary, and not larger than the smallest size that covers the region in one block.
 */
function oracle(
  pairs: readonly Pair[],
  offset: number,
  length: number,
  bitmap: bigint,
  virt: bigint,
): bigint {
  const last = virt + BigInt(length) - 1n;
  if (last >= 2n ** 64n) return 0n;
  let best = 0n;
  for (let bit = 0n; bit < 64n; bit += 1n) {
    const size = 1n << bit;
    if ((bitmap & size) === 0n || !fits(pairs, offset, size, virt)) continue;
    best = size;
    const covers = bit >= 1n && virt / size === last / size;
    if (covers) break;
  }
  return best;
}

function fits(pairs: readonly Pair[], offset: number, size: bigint, virt: bigint): boolean {
  let va = virt;
  let end = -1;
  for (const [index, [address, bytes]] of pairs.entries()) {
    const skipped = index === 0 ? offset : 0;
    if (address !== end) {
      if ((BigInt(address + skipped) - va) % size !== 0n) return false;
      if (index > 0 && va % size !== 0n) return false;
    }
    end = address + bytes;
    va += BigInt(bytes - skipped);
  }
  return true;
}

describe('block iterator', () => {
  const cases: [string, readonly Pair[], number, number[]][] = [
    [
      'pages of joined and separate entries',
      [
        [0x80000000, 0x3000],
        [0x80003000, 0x1000],
        [0x90000000, 0x2000],
      ],
      P4K,
      [0x80000000, 0x80001000, 0x80002000, 0x80003000, 0x90000000, 0x90001000],
    ],
    [
      'blocks of 64 KiB',
      [
        [0x80010000, 0x20000],
        [0xa0000000, 0x10000],
      ],
      0x10000,
      [0x80010000, 0x80020000, 0xa0000000],
    ],
    ['a first block that is rounded down', [[0x80008000, 0x10000]], 0x10000, [0x80000000, 0x80010000]],
    [
      'a run that starts within a block is skipped',
      [
        [0x80000000, 0x8000],
        [0x90000000, 0x8000],
      ],
      0x10000,
      [0x80000000],
    ],
    ['nothing', [], P4K, []],
  ];
  it.each(cases)('%s', (_name, pairs, pgsz, expected) => {
    expect([...rdmaForEachBlock(rangesOf(pairs), pgsz)]).toEqual(expected);
  });

  it('of memory yields no more blocks than iova and length take', () => {
    const umem = layout(0x123, 0x2000, [[0x80000000, 0x8000]]);
    umem.iova = u64(0x40000123);
    expect([...rdmaUmemForEachDmaBlock(umem, P4K)]).toEqual([0x80000000, 0x80001000, 0x80002000]);
  });

  it('starts at the offset with blocks smaller than a page', () => {
    const umem = layout(0x800, 0x800, [[0x80000000, 0x1000]]);
    umem.iova = u64(0x800);
    expect([...rdmaUmemForEachDmaBlock(umem, 0x400)]).toEqual([0x80000800, 0x80000c00]);
  });
});
