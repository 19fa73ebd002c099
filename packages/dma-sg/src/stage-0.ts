// What a driver can call at stage 0: scatterlists are the only efficient way to map complex memory.

export {
  dmaMapSg,
  dmaMapSgAttrs,
  dmaMapSgtable,
  dmaUnmapSg,
  dmaUnmapSgAttrs,
  dmaUnmapSgtable,
} from './dma-map-sg.ts';
export {
  dmaSyncSgForCpu,
  dmaSyncSgForDevice,
  dmaSyncSgtableForCpu,
  dmaSyncSgtableForDevice,
} from './dma-sync-sg.ts';
export { iommuMapSg } from './iommu-map-sg.ts';
export { sgDmaIsBusAddress, sgDmaMarkBusAddress, sgDmaUnmarkBusAddress } from './peer-bus-address.ts';
export {
  NO_PAGE,
  Scatterlist,
  SG_DMA_BUS_ADDRESS,
  SG_DMA_SWIOTLB,
  sgInitTable,
  sgIsLast,
  sgLast,
  sgMarkEnd,
  sgNents,
  sgNext,
  sgPhys,
  sgSetPage,
  sgUnmarkEnd,
} from './scatterlist.ts';
export {
  SG_MAX_SEGMENT,
  SgAppendTable,
  sgAllocAppendTableFromPages,
  sgAllocTableFromPages,
  sgAllocTableFromPagesSegment,
  sgFreeAppendTable,
} from './sg-append-table.ts';
export { kmallocSize, type SgArrayAllocator, SgHeap } from './sg-array-allocator.ts';
export { SG_TABLE_BYTES, sgTableBytes } from './sg-footprint.ts';
export { sgNentsForDma, sgNentsForLen, sgPageCount } from './sg-lengths.ts';
export {
  __sgAllocTable,
  SG_CHUNK_SIZE,
  SG_ENTRY_BYTES,
  SG_MAX_SINGLE_ALLOC,
  SgTable,
  sgAllocTable,
  sgAllocTableChained,
  sgArrayLayout,
  sgFreeTable,
  sgFreeTableChained,
} from './sg-table.ts';
