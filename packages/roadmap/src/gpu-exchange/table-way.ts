// The ways of today: scatterlist tables as amdgpu and xe make them, which importers read as addresses and lengths.
// Source followed: drivers/gpu/drm/amd/amdgpu/amdgpu_dma_buf.c and drivers/gpu/drm/xe/xe_dma_buf.c; struct sg_table (16 bytes) and
// struct scatterlist (32 bytes) on x86-64.
// Simplified: both importers take tables apart in the same way.

import { sgtRangeSource } from '@sgfree/dma-buf/sgt';
import { dmaBufDynamicAttach } from '@sgfree/dma-buf/stage-6';
import type { SgTable } from '@sgfree/dma-sg';
import { type AbuseWatch, amdgpuDmaBufOps, exportBo, xeDmaBufOps } from '@sgfree/gpu-driver/stage-3';
import { type DmabufImport, windowOf } from '@sgfree/rdma/stage-6';
import type { ExchangeWay } from './exchange-way.ts';

const TABLE_BYTES = 16;
const ENTRY_BYTES = 32;

const tableImport: DmabufImport<SgTable> = {
  attach: dmaBufDynamicAttach,
  map: sgtRangeSource.map,
  unmap: sgtRangeSource.unmap,
  view: (table, start, end) => ({
    ranges: () => windowOf(sgtRangeSource.ranges(table), start, end),
    close: () => undefined,
  }),
};

/** Tables as `name` makes them, watched. @internal */
export const tableWay = (name: 'amdgpu' | 'xe', watch: AbuseWatch): ExchangeWay<SgTable> => ({
  name,
  scatterlist: true,
  exported: (bo) => {
    const ops = name === 'xe' ? xeDmaBufOps(bo) : amdgpuDmaBufOps(bo);
    return exportBo(bo, watch.watchedOps(bo, ops));
  },
  adapter: tableImport,
  disk: tableImport,
  sizeOf: ({ mappedCount, list }) => ({
    entries: mappedCount,
    bytes: TABLE_BYTES + ENTRY_BYTES * list.entryCount,
  }),
});
