// blk_rq_map_sg: fills a scatterlist from a request, as drivers did before the two-step API.
// Source followed: block/blk-mq-dma.c (__blk_rq_map_sg).
// Simplified: one array; the caller has initialised as many entries as the request counts segments.

import { type Scatterlist, sgMarkEnd, sgSetPage, sgUnmarkEnd } from '@sgfree/dma-sg';
import { frameOf, offsetWithin, PAGE_SIZE } from '@sgfree/hw-model';
import type { BlockRequest } from './block-request.ts';
import { SegmentIterator } from './segment-iterator.ts';

/**
 * Fills `list` from its head on and returns the number of entries used; the last one carries END.
 * @public
 * @kernel blk_rq_map_sg
 */
export function blkRqMapSg(request: BlockRequest, list: Scatterlist): number {
  const segments = new SegmentIterator(request);
  let used = 0;
  for (let vec = segments.next(); vec !== null; vec = segments.next()) {
    if (used > 0) sgUnmarkEnd(list, used - 1);
    sgSetPage(list, used, frameOf(vec.phys), vec.bytes, offsetWithin(vec.phys, PAGE_SIZE));
    used += 1;
  }
  if (used > 0) sgMarkEnd(list, used - 1);
  return used;
}
