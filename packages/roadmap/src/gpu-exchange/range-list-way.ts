// The way of stage 8: range lists, agreed on by mapping types; nothing here knows a table.
// Source followed: our own, in the frame of the RFC on mapping types.
// A list takes 40 bytes (the two-step state 16, device 8, attributes 8, count and route 8) and 16 for each physical range.
// Simplified: none.

import {
  type DmaBuf,
  type DmaRangeList,
  dmaBufMappingAttach,
  dmaBufMapRangeList,
  dmaBufUnmapRangeList,
  rangeListImporterMatch,
} from '@sgfree/dma-buf';
import { exportBoMappings, gpuMappingOps, type MappingWatch, watchedMappingOps } from '@sgfree/gpu-driver';
import { Errno, failure, success } from '@sgfree/mm';
import { type DmabufImport, rangeListImport, windowOf } from '@sgfree/rdma';
import type { ExchangeWay } from './exchange-way.ts';
import { physicalRuns } from './object-places.ts';

const LIST_BYTES = 40;
const RANGE_BYTES = 16;

/** The disk's driver takes range lists, a peer's memory among them, and nothing else. */
const diskImport: DmabufImport<DmaRangeList> = {
  *attach(dmabuf, dev, ops, priv) {
    if (dev === null) return failure(Errno.EINVAL);
    return yield* dmaBufMappingAttach(dmabuf, [rangeListImporterMatch(dev, ops.allowPeer2peer)], ops, priv);
  },
  map: dmaBufMapRangeList,
  unmap: dmaBufUnmapRangeList,
  view: (list, start, end) => ({
    ranges: () => windowOf(list.ranges(), start, end),
    close: () => undefined,
  }),
};

/** Range lists; `watch` looks on while the exporter maps. @internal */
export const rangeListWay = (watch: MappingWatch): ExchangeWay<DmaRangeList> => ({
  name: 'range-list',
  scatterlist: false,
  exported: (bo) => {
    const made = exportBoMappings(bo, watchedMappingOps(bo, gpuMappingOps(bo), watch));
    return made.ok ? success(made.value as DmaBuf<DmaRangeList>) : made;
  },
  adapter: rangeListImport(),
  disk: diskImport,
  sizeOf: ({ count }, { resource }) => ({
    entries: count,
    bytes: LIST_BYTES + RANGE_BYTES * physicalRuns(resource),
  }),
});
