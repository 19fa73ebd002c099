// The DMA half of a table as a stream of ranges: what importers without a scatterlist inside are wired to while exporters
// still have nothing but tables.
// Source followed: for_each_sgtable_dma_sg of include/linux/scatterlist.h, which counts mapped segments, not entries.
// Simplified: none.

import type { SgTable } from '@sgfree/dma-sg';
import { type DmaAddr, dmaAddr } from '@sgfree/hw-model';
import { dmaBufMapAttachment, dmaBufUnmapAttachment } from './dma-buf-map-attachment.ts';

/**
 * One mapped segment of a table: where the device finds it and how long it is, in bytes.
 * @public
 */
export interface SgtRange {
  readonly address: DmaAddr;
  readonly bytes: number;
}

/**
 * `count` mapped segments of `sgt` from segment `first` on; default all.
 * @public
 */
export function* sgtRanges(
  sgt: SgTable,
  first = 0,
  count: number = sgt.mappedCount - first,
): Generator<SgtRange, void, void> {
  const { list } = sgt;
  for (let sg = first; sg < first + count; sg += 1) {
    yield { address: dmaAddr(list.dmaAddress[sg] ?? 0), bytes: list.dmaLength[sg] ?? 0 };
  }
}

/**
 * How a table is mapped, read and given back: see {@link sgtRangeSource}.
 * @beta
 */
export interface SgtRangeSource {
  readonly map: typeof dmaBufMapAttachment;
  readonly unmap: typeof dmaBufUnmapAttachment;
  /** All ranges of the buffer, in order; the table stays as it is. */
  ranges(sgt: SgTable): Generator<SgtRange, void, void>;
}

/**
 * Tables as a source of ranges. Whoever wires an importer gives it this; the importer itself sees addresses and lengths only.
 * @beta
 */
export const sgtRangeSource: SgtRangeSource = {
  map: dmaBufMapAttachment,
  unmap: dmaBufUnmapAttachment,
  ranges: (sgt) => sgtRanges(sgt),
};
