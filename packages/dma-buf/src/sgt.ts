// What still speaks of scatterlists: tables of physical ranges for importers that want an sg_table.

export type { DmaBuf, DmaBufOwner, DmaBufParts } from './buffer/dma-buf.ts';
export type { DmaBufAttachment } from './buffer/dma-buf-attachment.ts';
export type {
  DmaBufAttachOps,
  DmaBufCommonOps,
  DmaBufOps,
  IosysMap,
  MmapRequest,
} from './buffer/dma-buf-ops.ts';
export type { PollArm } from './buffer/poll-arm.ts';
export type { DmaBufPlatform, DmaBufPlatformOptions } from './dma-buf-platform.ts';
export type { DmaFence, DmaFenceIdentity, DmaFenceOps } from './fence/dma-fence.ts';
export type { DmaFenceCb } from './fence/fence-callback.ts';
export type { FileTable, ModelFile } from './file/file-table.ts';
export type { LinuxQuirks } from './linux-quirks.ts';
export type { DmaBufMappingAttachment } from './mapping-type/mapping-attachment.ts';
export type {
  DmaBufMappingExpOps,
  DmaBufMappingMatch,
  DmaBufMappingType,
  DmaBufMatchArgs,
} from './mapping-type/mapping-match.ts';
export type { MatchedAttachment } from './mapping-type/matched-attachment.ts';
export type { PhysVec } from './phys-vec.ts';
export type { DmaResv, DmaResvEntry, DmaResvList } from './resv/dma-resv.ts';
export type { DmaResvUsage } from './resv/resv-usage.ts';
export {
  dmaBufMapAttachment,
  dmaBufMapAttachmentUnlocked,
  dmaBufUnmapAttachment,
  dmaBufUnmapAttachmentUnlocked,
} from './sgt/dma-buf-map-attachment.ts';
export { dmaBufFreeSgt, dmaBufPhysVecToSgt } from './sgt/dma-buf-phys-vec-to-sgt.ts';
export type { SgtAttachment } from './sgt/dma-buf-sgt.ts';
export { type SgtFallback, sgtFallback } from './sgt/sgt-fallback.ts';
export {
  type DmaBufMappingSgtExpOps,
  dmaBufSgtAttach,
  dmaBufSgtDmaDevice,
  dmaBufSgtDynamicAttach,
  dmaBufSgtP2pAllowed,
  sgtExporterMatch,
  sgtImporterMatch,
  sgtOpsOf,
} from './sgt/sgt-mapping-type.ts';
export { type SgtRange, type SgtRangeSource, sgtRangeSource, sgtRanges } from './sgt/sgt-ranges.ts';
