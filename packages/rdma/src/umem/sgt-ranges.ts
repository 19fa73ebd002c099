// The DMA view of a scatterlist as a stream of ranges.
// Source followed: for_each_sgtable_dma_sg of include/linux/scatterlist.h, which counts mapped segments, not entries.
// Simplified: none.

import type { SgTable } from '@sgfree/dma-sg';
import { dmaAddr } from '@sgfree/hw-model';
import type { DmaRange } from '../dma-range.ts';

/**
 * `count` mapped segments of `sgt` from segment `first` on; default all.
 * @public
 */
export function* sgtRanges(
  sgt: SgTable,
  first = 0,
  count: number = sgt.mappedCount - first,
): Generator<DmaRange, void, void> {
  const { list } = sgt;
  for (let sg = first; sg < first + count; sg += 1) {
    yield { address: dmaAddr(list.dmaAddress[sg] ?? 0), bytes: list.dmaLength[sg] ?? 0 };
  }
}
