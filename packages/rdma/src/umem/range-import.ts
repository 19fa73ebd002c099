// The import of stage 4: ranges read out of whatever an exporter of tables maps, by a source that the wirer gives.
// Source followed: our own cut of drivers/infiniband/core/umem_dmabuf.c, so that what knows of scatterlists stays outside.
// Simplified: none.

import type { DmaBufAttachment } from '@sgfree/dma-buf';
import { dmaBufDynamicAttach } from '@sgfree/dma-buf/stage-3';
import type { DmaDataDirection } from '@sgfree/dma-core';
import type { ModelTask } from '@sgfree/hw-model';
import type { Outcome } from '@sgfree/mm';
import type { DmaRange } from '../dma-range.ts';
import { type DmabufImport, windowOf } from './dmabuf-import.ts';

/**
 * Where the ranges of a mapping come from when nothing in it is to be changed.
 * @beta
 */
export interface DmabufRangeSource<Mapping> {
  map(attach: DmaBufAttachment<Mapping>, dir: DmaDataDirection): ModelTask<Outcome<Mapping>>;
  unmap(attach: DmaBufAttachment<Mapping>, mapping: Mapping, dir: DmaDataDirection): ModelTask<void>;
  /** All ranges of the buffer, in order. */
  ranges(mapping: Mapping): Iterable<DmaRange>;
}

/**
 * Imports through `source`; the window is kept beside the ranges and never written into the mapping.
 * @beta
 */
export function rangeImport<Mapping>(source: DmabufRangeSource<Mapping>): DmabufImport<Mapping> {
  return {
    attach: dmaBufDynamicAttach,
    map: (attach, dir) => source.map(attach, dir),
    unmap: (attach, mapping, dir) => source.unmap(attach, mapping, dir),
    view: (mapping, start, end) => ({
      ranges: () => windowOf(source.ranges(mapping), start, end),
      close: () => undefined,
    }),
  };
}
