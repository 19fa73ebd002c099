// The way of stage 8: range lists, agreed on by mapping types; nothing here knows a table.
// Source followed: our own, in the frame of the RFC on mapping types.
// Simplified: adapter and disk import alike: range lists, a peer's memory among them, and nothing else.

import type { DmaBuf, DmaRangeList } from '@sgfree/dma-buf';
import { exportBoMappings, gpuMappingOps, type MappingWatch, watchedMappingOps } from '@sgfree/gpu-driver';
import { success } from '@sgfree/mm';
import { rangeListImport } from '@sgfree/rdma';
import { rangeListBytes } from '../range-list-size.ts';
import type { ExchangeWay } from './exchange-way.ts';
import { physicalRuns } from './object-places.ts';

/** Range lists; `watch` looks on while the exporter maps. @internal */
export const rangeListWay = (watch: MappingWatch): ExchangeWay<DmaRangeList> => ({
  name: 'range-list',
  scatterlist: false,
  exported: (bo) => {
    const made = exportBoMappings(bo, watchedMappingOps(bo, gpuMappingOps(bo), watch));
    return made.ok ? success(made.value as DmaBuf<DmaRangeList>) : made;
  },
  via: rangeListImport(),
  sizeOf: ({ count }, { resource }) => ({
    entries: count,
    bytes: rangeListBytes(physicalRuns(resource)),
  }),
});
