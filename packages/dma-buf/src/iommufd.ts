// What the core exports to iommufd alone: the importer's half of physical address lists.
// Source followed: the RFC, which exports dma_buf_pal_map_phys to the module iommufd and to no other.
// Simplified: the floors check keeps other packages from importing this entry; it holds named re-exports only.

export type { DmaBuf, DmaBufOwner, DmaBufParts } from './buffer/dma-buf.ts';
export type { DmaBufAttachment } from './buffer/dma-buf-attachment.ts';
export type {
  DmaBufAttachOps,
  DmaBufCommonOps,
  IosysMap,
  MmapRequest,
} from './buffer/dma-buf-ops.ts';
export type { PollArm } from './buffer/poll-arm.ts';
export type { DmaBufPlatform, DmaBufPlatformOptions } from './dma-buf-platform.ts';
export type { DmaFence, DmaFenceIdentity, DmaFenceOps } from './fence/dma-fence.ts';
export type { DmaFenceCb } from './fence/fence-callback.ts';
export type { FileTable, ModelFile } from './file/file-table.ts';
export type {
  DmaBufMappingExpOps,
  DmaBufMappingMatch,
  DmaBufMappingType,
  DmaBufMatchArgs,
} from './mapping-type/mapping-match.ts';
export type { MatchedAttachment } from './mapping-type/matched-attachment.ts';
export { dmaBufPalMapPhys, dmaBufPalUnmapPhys, palImporterMatch } from './mapping-type/phys-list-import.ts';
export type { DmaBufPhysList } from './mapping-type/phys-list-type.ts';
export type { PhysVec } from './phys-vec.ts';
export type { DmaResv, DmaResvEntry, DmaResvList } from './resv/dma-resv.ts';
export type { DmaResvUsage } from './resv/resv-usage.ts';
