// Mappings as range lists: what importers get from stage 5 on, with no table in between.
// Source followed: our own; the same provider and ranges that tables are made of.
// Simplified: none.

import { type DmaRangeList, dmaBufFreeRangeList, dmaBufPhysVecToRangeList } from '@sgfree/dma-buf';
import type { VfioMapping } from '../export/exporter-mapping.ts';

/**
 * A path that peer-to-peer DMA cannot take is -EINVAL; matching rules it out before.
 * @internal
 */
export const rangeListMapping: VfioMapping<DmaRangeList> = {
  map: (attach, priv, dir) => dmaBufPhysVecToRangeList(attach, priv.provider, priv.physVec, priv.size, dir),
  unmap: dmaBufFreeRangeList,
};
