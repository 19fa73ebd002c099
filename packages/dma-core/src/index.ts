// The newest surface of dma-core: devices and their limits, dma_map_phys, the direct map and the way through the IOMMU.

export {
  type BouncePool,
  isSwiotlbActive,
  isSwiotlbForceBounce,
  type Swiotlb,
  swiotlbMaxMappingSize,
  swiotlbTblMapSingle,
  swiotlbTblUnmapSingle,
} from './bounce-buffers.ts';
export { type CacheMaintenance, needsCacheSync } from './cache-maintenance.ts';
export {
  type DmaCoherentBlock,
  dmaAllocAttrs,
  dmaAllocCoherent,
  dmaFreeAttrs,
  dmaFreeCoherent,
} from './coherent-memory.ts';
export { CpuCacheMaintenance, type CpuCachePolicy } from './cpu-cache-maintenance.ts';
export type { ActiveCachelines, LineState } from './debug/active-cachelines.ts';
export type { AddressHash, HashedRange } from './debug/address-hash.ts';
export { checkDmaAccess } from './debug/check-access.ts';
export type { DeadMapping, DeadMappings } from './debug/dead-mappings.ts';
export {
  debugDmaAllocPages,
  debugDmaFreePages,
} from './debug/debug-coherent.ts';
export type { DmaDebugEntry, DmaDebugRef, DmaDebugType, MapErrorCheck } from './debug/debug-entry.ts';
export { dmaDebugLine } from './debug/debug-line.ts';
export { debugDmaMapSingle } from './debug/debug-mapping.ts';
export {
  DebugReport,
  type DebugReportOptions,
  type DmaDebugFinding,
  type FindingData,
} from './debug/debug-report.ts';
export type { DmaDebugCheckCode, DmaDebugRuleCode, DmaShadowCheckCode } from './debug/debug-rule-codes.ts';
export { type DmaDebugRule, dmaDebugRules } from './debug/debug-rules.ts';
export {
  type DebugSegment,
  debugSgEntryMemory,
  debugSgSegmentMapped,
  debugSgSegmentSynced,
  debugSgSegmentUnmapped,
  debugSgSyncUnknown,
  getNrMappedEntries,
} from './debug/debug-segment.ts';
export { dmaDebugDeviceChange } from './debug/device-unbound.ts';
export { DmaDebug, type DmaDebugOptions } from './debug/dma-debug.ts';
export type { EntryPool } from './debug/entry-pool.ts';
export {
  debugDmaIovaAllocated,
  debugDmaIovaAllocating,
  debugDmaIovaLinked,
  debugDmaIovaLinking,
  debugDmaIovaSynced,
  debugDmaIovaSyncing,
} from './debug/two-step-link.ts';
export type { LinkedPiece, TwoStepRange } from './debug/two-step-range.ts';
export type { TwoStepState } from './debug/two-step-state.ts';
export { debugDmaIovaDestroy, debugDmaIovaFree, debugDmaIovaUnlink } from './debug/two-step-unlink.ts';
export {
  Device,
  type DeviceOptions,
  dmaGetMask,
  dmaSetMaxSegSize,
  dmaSetMinAlignMask,
  dmaSetSegBoundary,
  pciDevice,
} from './device.ts';
export { attrsTraceName, type DmaAttrs, NO_ATTRS } from './dma-attrs.ts';
export {
  dmaCapable,
  dmaDirectMapPhys,
  dmaDirectSyncSingleForCpu,
  dmaDirectSyncSingleForDevice,
  dmaDirectUnmapPhys,
} from './dma-direct.ts';
export { checkDirection, type DmaDataDirection, directionTraceName } from './dma-direction.ts';
export { dmaMapSingleAttrs, dmaUnmapSingleAttrs } from './dma-map-single.ts';
export {
  dmaMapPageAttrs,
  dmaMapPhys,
  dmaMapResource,
  dmaUnmapPhys,
  dmaUnmapResource,
} from './dma-mapping.ts';
export { dmaMappingError } from './dma-mapping-error.ts';
export {
  dmaGetMergeBoundary,
  dmaMaxMappingSize,
  dmaNeedSync,
  dmaNeedUnmap,
  dmaOptMappingSize,
} from './dma-mapping-limits.ts';
export {
  DMA_MAPPING_ERROR,
  dmaBitMask,
  lastGranuleUnder,
  minNotZero,
  SIZE_MAX,
} from './dma-mask.ts';
export { DmaPlatform, type DmaPlatformOptions } from './dma-platform.ts';
export { type DmaRange, dmaDirectAllRamMapped, dmaToPhys, physToDma } from './dma-range-map.ts';
export {
  dmaAddressingLimited,
  dmaGetRequiredMask,
  dmaSetCoherentMask,
  dmaSetMask,
  dmaSetMaskAndCoherent,
} from './dma-reach.ts';
export { dmaDevNeedSync, dmaSyncSingleForCpu, dmaSyncSingleForDevice } from './dma-sync.ts';
export { FlushQueue, type FlushQueueOptions, iommuDmaInitOptions } from './flush-queue/flush-queue.ts';
export { FlushRing, flushRingBytes } from './flush-queue/flush-ring.ts';
export { fqFlushTimeout, iommuDmaFreeFq, iommuDmaInitFq } from './flush-queue/queue-iova.ts';
export type { BridgeWindow, HostBridge } from './host-bridge.ts';
export { iommuDmaMapSwiotlb, iovaUnaligned, needsBounce } from './iommu-dma-bounce.ts';
export { IommuDmaCookie, iommuGetDmaCookie, iommuPutDmaCookie } from './iommu-dma-cookie.ts';
export { iommuDmaInitDomain, iommuSetupDmaOps } from './iommu-dma-domain.ts';
export { cookieOf, iommuDmaAllocIova, iommuDmaFreeIova, useDmaIommu } from './iommu-dma-iova.ts';
export { dmaInfoToProt, iommuDmaMapRange, iommuDmaUnmapRange } from './iommu-dma-map.ts';
export {
  iommuDmaMapPhys,
  iommuDmaSyncSingleForCpu,
  iommuDmaSyncSingleForDevice,
  iommuDmaUnmapPhys,
} from './iommu-dma-phys.ts';
export type { KernelRegions } from './kernel-regions.ts';
export { type P2pClassifier, P2pdmaMapState, type P2pMapType, pciP2pdmaState } from './p2p-classifier.ts';
export { SwiotlbPool, type SwiotlbPoolOptions } from './swiotlb/swiotlb-pool.ts';
