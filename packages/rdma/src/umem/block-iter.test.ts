// The blocks of the best page size, byte by byte: what the device computes from them is where the memory lies.
import { fc, test } from '@fast-check/vitest';
import { addOffset, dmaAddr, PAGE_SIZE } from '@sgfree/hw-model';
import { describe, expect, it } from 'vitest';
import type { DmaRange } from '../dma-range.ts';
import { ibUmemFindBestPgsz, type UmemLayout } from './best-pgsz.ts';
import { rdmaForEachBlock, rdmaUmemForEachDmaBlock } from './block-iter.ts';
import { ibUmemNumDmaBlocks } from './ib-umem.ts';
import { pageSizeBitmap, u64 } from './u64.ts';

const SIZES = pageSizeBitmap(PAGE_SIZE, 4 * PAGE_SIZE, 16 * PAGE_SIZE);
const SMALL = pageSizeBitmap(512, 1024, PAGE_SIZE);

/** Memory of runs of pages, each run `skip` pages behind the one before, from `offset` in the first page on. */
function memory(runs: readonly (readonly [skip: number, pages: number])[], offset: number): UmemLayout {
  let at = dmaAddr(0x8000_0000);
  const ranges: DmaRange[] = runs.map(([skip, pages]) => {
    const address = addOffset(at, skip * PAGE_SIZE);
    at = addOffset(address, pages * PAGE_SIZE);
    return { address, bytes: pages * PAGE_SIZE };
  });
  const length = ranges.reduce((sum, { bytes }) => sum + bytes, -offset);
  return { address: offset, length, odpPageShift: 0, iova: u64(0), dmaRanges: () => ranges };
}

/** DMA address of each 512th byte, as the ranges say. */
const truth = (umem: UmemLayout): number[] =>
  [...umem.dmaRanges()]
    .flatMap(({ address, bytes }) =>
      Array.from({ length: bytes / 512 }, (_, i) => addOffset(address, i * 512)),
    )
    .slice(Math.floor(umem.address / 512));

describe('blocks of the chosen size', () => {
  const runs = fc.array(fc.tuple(fc.integer({ min: 0, max: 20 }), fc.integer({ min: 1, max: 33 })), {
    minLength: 1,
    maxLength: 5,
  });
  const offset = fc.integer({ min: 0, max: 7 }).map((sectors) => sectors * 512);
  const virtPage = fc.integer({ min: 0, max: 2 ** 30 });
  test.prop([runs, offset, virtPage, fc.boolean()], { numRuns: 300 })(
    'stand for the bytes of the memory, one block for each',
    (shape, first, page, small) => {
      const umem = memory(shape, first);
      const virt = page * PAGE_SIZE + first;
      const pgsz = ibUmemFindBestPgsz(umem, small ? SMALL : SIZES, virt);
      expect(pgsz).toBeGreaterThan(0);
      const blocks = [...rdmaUmemForEachDmaBlock(umem, pgsz)];
      expect(blocks).toHaveLength(ibUmemNumDmaBlocks(umem, pgsz));
      const inFirst = virt - Math.floor(virt / pgsz) * pgsz;
      const seen = truth(umem).map((_, i) => {
        const at = inFirst + i * 512;
        const index = Math.floor(at / pgsz);
        return Number(blocks[index]) + at - index * pgsz;
      });
      expect(seen).toEqual(truth(umem));
    },
  );
});

it('takes the largest power of two of a size that is none, and nothing of no memory', () => {
  const ranges = [{ address: dmaAddr(0x1_0000_0000), bytes: 3 * PAGE_SIZE }];
  expect([...rdmaForEachBlock(ranges, 6000)]).toEqual([...rdmaForEachBlock(ranges, PAGE_SIZE)]);
  expect([...rdmaForEachBlock([], PAGE_SIZE)]).toEqual([]);
  expect([...rdmaForEachBlock(ranges, PAGE_SIZE, PAGE_SIZE)]).toHaveLength(2);
});
