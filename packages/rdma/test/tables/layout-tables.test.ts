// Walks the tables about DMA layouts: page sizes, blocks, pages of a region, windows of a buffer.
import { SgTable, sgAllocTable } from '@sgfree/dma-sg';
import { type DmaAddr, dmaAddr } from '@sgfree/hw-model';
import { Errno } from '@sgfree/mm';
import { describe, expect, it } from 'vitest';
import {
  ALL_PAGE_SIZES,
  ibSgToPages,
  ibUmemFindBestPgsz,
  ibUmemNumDmaBlocks,
  NIC_PAGE_SIZES,
  pageSizeBitmap,
  rdmaForEachBlock,
  rdmaUmemForEachDmaBlock,
  type U64,
  windowOf,
} from '../../src/index.ts';
import { sgtImport } from '../../src/stage-3.ts';
import { pgszTable } from './best-pgsz-rows.ts';
import { blockTable } from './block-rows.ts';
import { sgPagesTable } from './sg-pages-rows.ts';
import { addressesOf, rangesOf, spellRanges, textRows, wide } from './text-table.ts';
import { umemBlockTable } from './umem-block-rows.ts';
import { windowTable } from './window-rows.ts';

const GIB = 2 ** 30;
const bitmaps: Readonly<Record<string, U64>> = {
  usual: pageSizeBitmap(4096, 65536, 2 ** 21, GIB),
  '2M': pageSizeBitmap(2 ** 21),
  '4K': pageSizeBitmap(4096),
  '64K,1G': pageSizeBitmap(65536, GIB),
  all: { high: 0xffffffff, low: 0xfffff000 },
  every: ALL_PAGE_SIZES,
  nic: NIC_PAGE_SIZES,
};

describe('the best page size', () => {
  it.each(textRows(pgszTable))('$key', ({ columns: [sizes = '', virt, offset, length, entries, answer] }) => {
    const iova = { high: 1, low: 1 };
    const umem = {
      address: 0x7f000000 + Number(offset),
      length: Number(length),
      odpPageShift: 0,
      iova,
      dmaRanges: () => rangesOf(entries),
    };
    const bitmap = bitmaps[sizes];
    if (bitmap === undefined) throw new Error(`no bitmap ${sizes}`);
    expect(ibUmemFindBestPgsz(umem, bitmap, wide(virt))).toBe(Number(answer));
    expect(umem.iova).toEqual(wide(virt));
  });
});

describe('blocks', () => {
  it.each(textRows(blockTable))('$key', ({ columns: [size, entries, blocks] }) => {
    expect([...rdmaForEachBlock(rangesOf(entries), Number(size))]).toEqual(addressesOf(blocks));
  });

  it.each(textRows(umemBlockTable))('$key', ({ columns }) => {
    const [size, address, iova, length, count, entries, blocks] = columns;
    const umem = {
      address: Number(address),
      length: Number(length),
      iova: wide(iova),
      dmaRanges: () => rangesOf(entries),
    };
    expect(ibUmemNumDmaBlocks(umem, Number(size))).toBe(Number(count));
    expect([...rdmaUmemForEachDmaBlock(umem, Number(size))]).toEqual(addressesOf(blocks));
  });
});

describe('the pages of a region', () => {
  it.each(textRows(sgPagesTable))('$key', ({ columns }) => {
    const [size, room, offset, count, ranges, answer, iova, length, next, pages] = columns;
    const mr = { iova: -1, length: -1, pageSize: Number(size) };
    const taken: DmaAddr[] = [];
    const at = { value: Number(offset) };
    const setPage = (_: unknown, page: DmaAddr): number =>
      taken.length < Number(room) ? taken.push(page) * 0 : -Errno.ENOMEM;
    expect(ibSgToPages(mr, rangesOf(ranges), Number(count), at, setPage)).toBe(Number(answer));
    expect(taken).toEqual(addressesOf(pages));
    expect(at.value).toBe(Number(next));
    expect(mr.iova).toBe(iova === '-' ? -1 : Number(iova));
    expect(mr.length).toBe(length === '-' ? -1 : Number(length));
  });

  it('do not need somebody who wants to know the offset', () => {
    const mr = { iova: -1, length: -1, pageSize: 4096 };
    const range = { address: dmaAddr(0x1000), bytes: 0x1000 };
    expect(ibSgToPages(mr, [range], 1, null, () => 0)).toBe(1);
  });
});

describe('windows', () => {
  it.each(textRows(windowTable))('$key', ({ columns: [offset, length, entries, seen] }) => {
    const start = Math.floor(Number(offset) / 4096) * 4096;
    const end = Math.ceil((Number(offset) + Number(length)) / 4096) * 4096;
    expect(spellRanges(windowOf(rangesOf(entries), start, end))).toBe(seen);
  });

  it.each(textRows(windowTable))(
    '$key trimmed in a table',
    ({ columns: [offset, length, entries, seen] }) => {
      const ranges = rangesOf(entries);
      const table = new SgTable();
      expect(sgAllocTable(table, ranges.length)).toBe(0);
      for (const [i, { address, bytes }] of ranges.entries()) {
        table.list.dmaAddress[i] = address;
        table.list.dmaLength[i] = bytes;
      }
      table.mappedCount = ranges.length;
      const start = Math.floor(Number(offset) / 4096) * 4096;
      const end = Math.ceil((Number(offset) + Number(length)) / 4096) * 4096;
      const view = sgtImport.view(table, start, end);
      expect(spellRanges(view.ranges())).toBe(seen);
      view.close();
      const back = ranges.map((_, i) => ({
        address: dmaAddr(table.list.dmaAddress[i] ?? -1),
        bytes: table.list.dmaLength[i] ?? -1,
      }));
      expect(spellRanges(back)).toBe(entries);
    },
  );
});
