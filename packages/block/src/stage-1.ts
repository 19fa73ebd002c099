// What a block driver can call at stage 1: requests, and an iterator that maps them without a scatterlist.

export { requestsOf, splitBio } from './bio-split.ts';
export { BIO_VEC_BYTES, type BioVec, bioVecsOf, HUGE_PAGE_BYTES, type PageBacking } from './bio-vec.ts';
export {
  BlkDmaIter,
  blkRqDmaMapCoalesce,
  blkRqDmaMapIterNext,
  blkRqDmaMapIterStart,
  blkRqDmaUnmap,
} from './blk-dma-iter.ts';
export { type BlkStatus, errnoToBlkStatus } from './blk-status.ts';
export { type BlockRequest, reqPhysGapMask } from './block-request.ts';
export { BIO_MAX_VECS, type Bio, buildBios, type DirectIo, type IoOperation } from './direct-io.ts';
export type { NvmeDataMapper, NvmeMappingContext } from './nvme/data-mapper.ts';
export { DescriptorPools } from './nvme/descriptor-pools.ts';
export { type CoherentBlock, type CoherentSource, DmaPool } from './nvme/dma-pool.ts';
export type { DmaRangeSource } from './nvme/dma-range-source.ts';
export { IovaDataMapper } from './nvme/iova-mapper.ts';
export { IovaIod } from './nvme/iterator-path.ts';
export { NvmeBar } from './nvme/nvme-bar.ts';
export { type DmaRange, NvmeIod } from './nvme/nvme-iod.ts';
export {
  coherentSourceOf,
  NvmePciDriver,
  type NvmePciDriverOptions,
  type NvmeResult,
} from './nvme/nvme-pci-driver.ts';
export {
  NVME_CTRL_PAGE_SIZE,
  NVME_MAX_BYTES,
  NVME_MAX_NR_DESCRIPTORS,
  NVME_MAX_SEGS,
  NVME_SGL_THRESHOLD,
  NVME_SMALL_POOL_SIZE,
  type NvmeIdentity,
  nvmeQueueLimits,
} from './nvme/nvme-pci-limits.ts';
export { setupPrps } from './nvme/prp-builder.ts';
export { type NvmeCompletion, NvmeQueuePair } from './nvme/queue-pair.ts';
export {
  NVME_SGL_DESCRIPTOR_BYTES,
  putSglDataBlock,
  putSglLastSegment,
  setupSgls,
} from './nvme/sgl-builder.ts';
export { choosesSgl, nvmeSglUse, type SglPolicy, type SglUse } from './nvme/sgl-choice.ts';
export { NVME_CMD_SGL_METABUF, NvmeSubmissionEntry } from './nvme/submission-entry.ts';
export { TRACKING_BYTES, TrackingMemory, type TrackingStructure } from './nvme/tracking-memory.ts';
export type { QueueLimits } from './queue-limits.ts';
export { type RequestClass, requestClassOf } from './request-class.ts';
export { rqDmaDir } from './request-direction.ts';
export { SegmentIterator } from './segment-iterator.ts';
