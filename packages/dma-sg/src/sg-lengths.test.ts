// Counting questions: entries for a length, descriptors for the DMA side, pages of an entry.

import { describe, expect, it } from 'vitest';
import { tableOf } from '../test/sg-machine.ts';
import { Scatterlist } from './scatterlist.ts';
import { sgNentsForDma, sgNentsForLen, sgPageCount } from './sg-lengths.ts';

const { list } = tableOf([1, 0, 100], [2, 4000, 200], [3, 5000, 4096]);

describe('scatterlist lengths', () => {
  it.each([
    [0, 0],
    [1, 1],
    [100, 1],
    [101, 2],
    [300, 2],
    [4396, 3],
    [4397, -22],
  ])('sg_nents_for_len(%i) is %i', (bytes, entries) => {
    expect(sgNentsForLen(list, bytes)).toBe(entries);
  });

  it('an empty list covers nothing but nothing', () => {
    expect([sgNentsForLen(new Scatterlist(), 0), sgNentsForLen(new Scatterlist(), 1)]).toEqual([0, -22]);
  });

  it('counts descriptors by DMA length', () => {
    const mapped = tableOf([1, 0, 1], [2, 0, 1]).list;
    mapped.dmaLength.set([4096, 4097]);
    expect(sgNentsForDma(mapped, 2, 4096)).toBe(3);
    expect(sgNentsForDma(mapped, 1, 1000)).toBe(5);
  });

  it('counts pages from the page named, not from the data', () => {
    expect([0, 1, 2].map((sg) => sgPageCount(list, sg))).toEqual([1, 2, 3]);
  });
});
