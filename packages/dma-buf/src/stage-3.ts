// What drivers can call at stage 3: buffers, attachments and fences; mappings are tables behind the `sgt` entry. An
// exporter can say that its memory moves, and cannot yet ask whether an importer gives it back.

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
  dmaBufAttach,
  dmaBufAttachmentIsDynamic,
  dmaBufDetach,
  dmaBufDynamicAttach,
  dmaBufPin,
  dmaBufUnpin,
} from './buffer/dma-buf-attachment.ts';
export {
  type DmaBufExportInfo,
  type DmaBufIdentity,
  dmaBufExport,
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
  DmaBufOps,
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
