// Scatterlist: the chain, its END mark, what an entry holds, and looks at struct page.

import { PageFrames } from '@sgfree/mm';
import { describe, expect, it } from 'vitest';
import {
  NO_PAGE,
  Scatterlist,
  sgInitTable,
  sgIsLast,
  sgLast,
  sgMarkEnd,
  sgNents,
  sgNext,
  sgPhys,
  sgSetPage,
  sgUnmarkEnd,
} from './scatterlist.ts';

const listOf = (entries: number): Scatterlist => {
  const list = new Scatterlist();
  sgInitTable(list, entries);
  return list;
};

describe('the chain', () => {
  it('ends at the END mark, wherever it is', () => {
    const list = listOf(5);
    expect([sgNents(list), sgNext(list, 3), sgNext(list, 4), sgLast(list, 5)]).toEqual([5, 4, -1, 4]);
    sgMarkEnd(list, 2);
    expect([sgNents(list), sgNext(list, 2), sgIsLast(list, 2), sgIsLast(list, 3)]).toEqual([
      3,
      -1,
      true,
      false,
    ]);
    sgUnmarkEnd(list, 2);
    expect(sgNents(list)).toBe(5);
  });

  it('without END is a violation, not an endless walk', () => {
    const list = listOf(2);
    sgUnmarkEnd(list, 1);
    expect(() => sgNents(list)).toThrow(expect.objectContaining({ rule: 'sg-no-end' }));
    expect(() => sgLast(list, 2)).toThrow(expect.objectContaining({ rule: 'sg-last-without-end' }));
    expect(sgNents(new Scatterlist())).toBe(0);
  });

  it('keeps earlier entries when it grows', () => {
    const list = listOf(1);
    sgSetPage(list, 0, 0x123, 0x45, 0x6);
    list.extend(1000);
    expect([list.entryCount, list.pageFrame[0], list.length[0], list.offset[0]]).toEqual([
      1001, 0x123, 0x45, 6,
    ]);
    expect([list.pageFrame[1000], list.length[1000], list.endMark[1000]]).toEqual([NO_PAGE, 0, 0]);
  });
});

describe('an entry', () => {
  it('sg_set_page leaves mark and DMA fields alone; sg_init_table resets all', () => {
    const list = listOf(1);
    list.dmaAddress[0] = 0x1000;
    list.dmaLength[0] = 7;
    list.dmaFlags[0] = 2;
    sgSetPage(list, 0, 9, 10, 11);
    expect([list.dmaAddress[0], list.dmaLength[0], list.dmaFlags[0], list.endMark[0]]).toEqual([
      0x1000, 7, 2, 1,
    ]);
    sgInitTable(list, 1);
    expect([list.dmaAddress[0], list.dmaLength[0], list.dmaFlags[0], list.endMark[0]]).toEqual([0, 0, 0, 1]);
  });

  it('may start pages behind its page, and each look at the page is counted', () => {
    const frames = new PageFrames();
    const list = new Scatterlist(frames);
    sgInitTable(list, 1);
    sgSetPage(list, 0, 0x100, 0x10, 0x2345);
    expect(sgPhys(list, 0)).toBe(0x102345);
    expect(frames.touched).toBe(2);
  });
});
