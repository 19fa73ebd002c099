// RDMA's import at the end of the road: range lists and nothing else.
// Source followed: our own; what `ib_umem_dmabuf_get` is left with when no exporter has a table any more.
// Simplified: none.

import type { DmaRangeList } from '@sgfree/dma-buf';
import type { DmabufImport } from '../umem/dmabuf-import.ts';
import { rangeListImport as importOfStage5 } from './range-list-import.ts';

/**
 * Imports range lists. Attaching to an exporter that has none is -EINVAL, before the exporter is asked. The window of a region is
 * kept beside the list.
 * @beta
 */
export function rangeListImport(): DmabufImport<DmaRangeList> {
  return importOfStage5<never>(null);
}
