// The ways of today: scatterlist tables as amdgpu and xe make them, which importers read as addresses and lengths.
// Source followed: drivers/gpu/drm/amd/amdgpu/amdgpu_dma_buf.c and drivers/gpu/drm/xe/xe_dma_buf.c.
// Simplified: both importers take tables apart in the same way.

import { sgtRangeSource } from '@sgfree/dma-buf/sgt';
import { dmaBufDynamicAttach } from '@sgfree/dma-buf/stage-6';
import { SG_ENTRY_BYTES, SG_TABLE_BYTES, type SgTable } from '@sgfree/dma-sg';
import { type AbuseWatch, amdgpuDmaBufOps, exportBo, xeDmaBufOps } from '@sgfree/gpu-driver/stage-3';
import { type DmabufImport, rangeImport } from '@sgfree/rdma/stage-6';
import type { ExchangeWay } from './exchange-way.ts';

/** `rangeImport` attaches as stage 3 does, where no mapping type is agreed on; these exporters are attached to as stage 6 does. */
const tableImport: DmabufImport<SgTable> = { ...rangeImport(sgtRangeSource), attach: dmaBufDynamicAttach };

/** Tables as `name` makes them, watched. @internal */
export const tableWay = (name: 'amdgpu' | 'xe', watch: AbuseWatch): ExchangeWay<SgTable> => ({
  name,
  scatterlist: true,
  exported: (bo) => {
    const ops = name === 'xe' ? xeDmaBufOps(bo) : amdgpuDmaBufOps(bo);
    return exportBo(bo, watch.watchedOps(bo, ops));
  },
  via: tableImport,
  sizeOf: ({ mappedCount, list }) => ({
    entries: mappedCount,
    bytes: SG_TABLE_BYTES + SG_ENTRY_BYTES * list.entryCount,
  }),
});
