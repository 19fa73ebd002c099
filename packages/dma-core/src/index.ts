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
export {
  dmaMapPageAttrs,
  dmaMapPhys,
  dmaMapResource,
  dmaUnmapPhys,
  dmaUnmapResource,
} from './dma-mapping.ts';
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
  dmaMappingError,
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
export { type P2pClassifier, P2pdmaMapState, type P2pMapType, pciP2pdmaState } from './p2p-classifier.ts';
export { SwiotlbPool, type SwiotlbPoolOptions } from './swiotlb/swiotlb-pool.ts';
