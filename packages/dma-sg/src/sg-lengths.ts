// How many entries some length takes: the counting questions drivers ask about a scatterlist.
// Source followed: lib/scatterlist.c (sg_nents_for_len, sg_nents_for_dma) and the page iterator's page count.
// Simplified: the iterators themselves are plain loops here and have no state objects.

import { PAGE_SIZE } from '@sgfree/hw-model';
import { Errno } from '@sgfree/mm';
import type { Scatterlist } from './scatterlist.ts';

/**
 * Entries needed to cover `len` bytes: 0 for 0, -EINVAL when the whole list is shorter.
 * @public
 * @kernel sg_nents_for_len
 */
export function sgNentsForLen(sgl: Scatterlist, len: number): number {
  if (len === 0) return 0;
  const { length, endMark, entryCount } = sgl;
  let total = 0;
  for (let sg = 0; sg < entryCount; sg += 1) {
    total += length[sg] as number;
    if (total >= len) return sg + 1;
    if (endMark[sg] === 1) break;
  }
  return -Errno.EINVAL;
}

/**
 * Device descriptors of at most `len` bytes that the first `nents` DMA segments take.
 * @public
 * @kernel sg_nents_for_dma
 */
export function sgNentsForDma(sgl: Scatterlist, nents: number, len: number): number {
  let descriptors = 0;
  for (let sg = 0; sg < nents; sg += 1) descriptors += Math.ceil((sgl.dmaLength[sg] as number) / len);
  return descriptors;
}

/**
 * Pages that the CPU side of entry `sg` spans, as the page iterator visits them.
 * @public
 */
export function sgPageCount(sgl: Scatterlist, sg: number): number {
  return Math.ceil(((sgl.offset[sg] as number) + (sgl.length[sg] as number)) / PAGE_SIZE);
}
