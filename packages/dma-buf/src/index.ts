// The newest surface of dma-buf, that of stage 8; nothing here imports the scatterlist.

export {
  dmaBufBeginCpuAccess,
  dmaBufEndCpuAccess,
  dmaBufMmap,
  dmaBufMmapInternal,
  dmaBufVmap,
  dmaBufVunmap,
} from './buffer/cpu-access.ts';
export {
  type DmaBuf,
  type DmaBufOwner,
  type DmaBufParts,
  dmaBufIsDynamic,
  getDmaBuf,
} from './buffer/dma-buf.ts';
export {
  type DmaBufAttachment,
  dmaBufAttachmentIsDynamic,
  dmaBufAttachRevocable,
  dmaBufDetach,
  dmaBufPin,
  dmaBufUnpin,
} from './buffer/dma-buf-attachment.ts';
export {
  type DmaBufIdentity,
  dmaBufFd,
  dmaBufFdInstall,
  dmaBufGet,
  dmaBufPut,
  isDmaBufFile,
  O_CLOEXEC,
} from './buffer/dma-buf-export.ts';
export {
  dmaBufLlseek,
  dmaBufPoll,
  dmaBufShowFdinfo,
  EPOLLIN,
  EPOLLOUT,
} from './buffer/dma-buf-file.ts';
export type {
  DmaBufAttachOps,
  DmaBufCommonOps,
  IosysMap,
  MmapRequest,
} from './buffer/dma-buf-ops.ts';
export { dmaBufInvalidateMappings } from './buffer/invalidate-mappings.ts';
export { PollArm } from './buffer/poll-arm.ts';
export { DMA_BUF_LOCK_ORDER, DmaBufPlatform, type DmaBufPlatformOptions } from './dma-buf-platform.ts';
export {
  DmaFence,
  type DmaFenceIdentity,
  type DmaFenceOps,
  dmaFenceCheckAndSignal,
  dmaFenceContextAlloc,
  dmaFenceGet,
  dmaFenceGetStatus,
  dmaFenceInit,
  dmaFenceIsContainer,
  dmaFenceIsSignaled,
  dmaFencePut,
  dmaFenceSetError,
  dmaFenceSignal,
  dmaFenceTestSignaledFlag,
} from './fence/dma-fence.ts';
export { DmaFenceArray, dmaFenceArrayCreate } from './fence/fence-array.ts';
export {
  DmaFenceCb,
  dmaFenceAddCallback,
  dmaFenceEnableSwSignaling,
  dmaFenceRemoveCallback,
} from './fence/fence-callback.ts';
export {
  type ChainPlace,
  DmaFenceChain,
  dmaFenceChainFindSeqno,
  dmaFenceChainInit,
  dmaFenceChainWalk,
} from './fence/fence-chain.ts';
export { dmaFenceIsLater, dmaFenceIsLaterOrSame } from './fence/fence-order.ts';
export { dmaFenceAllocatePrivateStub, dmaFenceGetStub } from './fence/fence-stub.ts';
export { dmaFenceDedupArray, dmaFenceUnwrapForEach, dmaFenceUnwrapMerge } from './fence/fence-unwrap.ts';
export {
  dmaFenceDefaultWait,
  dmaFenceWait,
  dmaFenceWaitTimeout,
  MAX_SCHEDULE_TIMEOUT,
} from './fence/fence-wait.ts';
export { FileTable, fput, getFile, type ModelFile } from './file/file-table.ts';
export { SyncFile, syncFileCreate, syncFileGetFence } from './file/sync-file.ts';
export {
  DMA_BUF_IOCTL,
  DMA_BUF_NAME_LEN,
  DMA_BUF_SYNC,
  dmaBufIoctl,
  dmaBufSetName,
} from './ioctl/dma-buf-ioctl.ts';
export type { LinuxQuirks } from './linux-quirks.ts';
export {
  type DmaListRange,
  DmaRangeList,
  type DmaRangeListRoute,
  type RangeListParts,
} from './mapping-type/dma-range-list.ts';
export { convertedExporterMatch } from './mapping-type/domain-window-converter.ts';
export {
  dmaBufDomainReady,
  dmaBufMapDomain,
  dmaBufUnmapDomain,
} from './mapping-type/domain-window-import.ts';
export {
  type DmaBufDomainExpOps,
  type DmaBufDomainMapping,
  type DmaBufDomainWindow,
  dmaBufDomainWindowType,
  domainExporterMatch,
  domainImporterMatch,
} from './mapping-type/domain-window-type.ts';
export { dmaBufMappingAttach } from './mapping-type/mapping-attach.ts';
export { DmaBufMappingAttachment, mapTypeOf } from './mapping-type/mapping-attachment.ts';
export { dmaBufMappingShow } from './mapping-type/mapping-debugfs.ts';
export type {
  DmaBufMappingExpOps,
  DmaBufMappingMatch,
  DmaBufMappingType,
  DmaBufMatchArgs,
  DmaBufMatchMapping,
} from './mapping-type/mapping-match.ts';
export { type DmaBufMappingExportInfo, dmaBufMappingExport } from './mapping-type/mapping-only-export.ts';
export { dmaBufMatchMapping } from './mapping-type/match-mapping.ts';
export type { MatchedAttachment } from './mapping-type/matched-attachment.ts';
export { type DmaBufMappingOps, dmaBufHasMappingTypes } from './mapping-type/offering-dma-buf.ts';
export type { DmaDeviceMatch, DmaSgtRequiresP2p } from './mapping-type/p2p-requirement.ts';
export {
  type DmaBufMappingPalExpOps,
  type DmaBufPhysList,
  dmaBufMappingPalType,
  palExporterMatch,
} from './mapping-type/phys-list-type.ts';
export { dmaBufFreeRangeList, dmaBufPhysVecToRangeList } from './mapping-type/phys-vec-to-range-list.ts';
export { type PrivateInterconnect, privateInterconnect } from './mapping-type/private-interconnect.ts';
export {
  dmaBufMappingRangeListType,
  dmaBufMapRangeList,
  dmaBufUnmapRangeList,
  type RangeListExpOps,
  rangeListExporterMatch,
  rangeListImporterMatch,
  takesRangeLists,
} from './mapping-type/range-list-type.ts';
export { type VfioIommufdExpOps, vfioIommufdInterconnect } from './mapping-type/vfio-iommufd-interconnect.ts';
export type { PhysVec } from './phys-vec.ts';
export {
  DmaResv,
  type DmaResvEntry,
  type DmaResvList,
  dmaResvAssertHeld,
  dmaResvFini,
  dmaResvHeld,
  dmaResvInit,
  dmaResvLock,
  dmaResvTrylock,
  dmaResvUnlock,
} from './resv/dma-resv.ts';
export {
  DmaResvIter,
  dmaResvForEachFence,
  dmaResvForEachFenceUnlocked,
  dmaResvIterBegin,
  dmaResvIterEnd,
  dmaResvIterFirstUnlocked,
  dmaResvIterNextUnlocked,
} from './resv/resv-iter.ts';
export { dmaResvAddFence, dmaResvReplaceFences, dmaResvReserveFences } from './resv/resv-slots.ts';
export { dmaResvCopyFences, dmaResvGetFences, dmaResvGetSingleton } from './resv/resv-snapshot.ts';
export { DmaResvUsage, dmaResvUsageRw } from './resv/resv-usage.ts';
export { dmaResvTestSignaled, dmaResvWaitTimeout } from './resv/resv-wait.ts';
