// LentBarMapping: what an importer of the lent BAR may get: a table, or from stage 5 on a range list.
// Source followed: the mapping types that a VFIO exporter and RDMA have in common.
// Simplified: none.

import type { DmaRangeList } from '@sgfree/dma-buf/stage-5';
import type { VfioSgTable } from '@sgfree/vfio-dmabuf/stage-6';

/** @internal */
export type LentBarMapping = VfioSgTable | DmaRangeList;
