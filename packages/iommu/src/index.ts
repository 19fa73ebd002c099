// The newest surface of iommu.
export { type AmdDeviceTlb, AmdIommu, type AmdIommuOptions } from './amd/amd-iommu.ts';
export { amdAddressBits } from './amd/amd-page-table.ts';
export { AMD_HT_REGION, AMD_MSI_REGION, type AmdUnityRegion } from './amd/amd-reserved-region.ts';
export type { AmdCommandCounters } from './amd/command-queue.ts';
export { type AmdDeviceName, type AmdLoggedEvent, amdEventText } from './amd/logged-event.ts';
export { ProtectionDomainIds } from './amd/protection-domain-ids.ts';
export { iommuCreateDeviceDirectMappings } from './domain/direct-mappings.ts';
export {
  iommuMap,
  iommuMapNosync,
  iommuSyncMap,
  mapFramesAndSync,
  mapFramesNosync,
} from './domain/iommu-map.ts';
export {
  IOMMU_CACHE,
  IOMMU_MMIO,
  IOMMU_NOEXEC,
  IOMMU_PRIV,
  IOMMU_READ,
  IOMMU_WRITE,
} from './domain/iommu-prot.ts';
export {
  iommuDomainFree,
  iommuFlushIotlbAll,
  iommuIotlbSync,
  iommuIovaToPhys,
  iommuUnmap,
  iommuUnmapFast,
  unmapFrames,
  unmapFramesAndSync,
} from './domain/iommu-unmap.ts';
export {
  type DomainGeometry,
  type IommuDirtyOps,
  type IommuDomainOps,
  PagingDomain,
  type PagingDomainOptions,
  type PagingDomainType,
} from './domain/paging-domain.ts';
export type { ReservedRegion, ReservedRegionType } from './domain/reserved-region.ts';
export { allocIova, findIova, freeIova, reserveIova } from './iova/alloc-iova.ts';
export { allocIovaFast, freeIovaFast, iovaRcacheRange } from './iova/alloc-iova-fast.ts';
export {
  iovaCpuhpDead,
  iovaCpuOnline,
  iovaDepotWorkFunc,
  putIovaDomain,
} from './iova/iova-cpu-hotplug.ts';
export { IovaDomain, type IovaDomainOptions, type MagazineFill } from './iova/iova-domain.ts';
export type { IovaRange } from './iova/iova-range.ts';
export type { DepotObserver, IovaRcaches } from './iova/iova-rcaches.ts';
export type { IovaTree } from './iova/iova-tree.ts';
export { IOVA_ANCHOR } from './iova/range-index.ts';
export {
  type RecordedIovaState,
  type RecordedMagazines,
  restoreIovaState,
} from './iova/recorded-iova-state.ts';
export { DirtyBits, type DirtyVisitor } from './page-table/dirty-bits.ts';
export { AmdV1Format } from './page-table/formats/amd-v1.ts';
export { VtdSecondStageFormat } from './page-table/formats/vtd-second-stage.ts';
export { X8664Format } from './page-table/formats/x86-64.ts';
export { IotlbGather, iommuIotlbGatherInit } from './page-table/iotlb-gather.ts';
export type { LeafVisitor } from './page-table/leaf-visit.ts';
export type { LinuxQuirks } from './page-table/linux-quirks.ts';
export { PageTable, type PageTableOptions } from './page-table/page-table.ts';
export {
  EntryKind,
  EntryWords,
  type PageTableFeatures,
  type PageTableFormat,
} from './page-table/page-table-format.ts';
export type { TableMemory } from './page-table/table-memory.ts';
export type { DeviceTlb } from './vtd/cache-tag.ts';
export { IDENTITY_DOMAIN_ID } from './vtd/domain-ids.ts';
export { IntelIommu, type IntelIommuOptions } from './vtd/intel-iommu.ts';
export type { QiCounters } from './vtd/qi-queue.ts';
export { type FirmwareRegion, VTD_MSI_REGION } from './vtd/reserved-region.ts';
export { type SecondStageGeometry, secondStageGeometry } from './vtd/second-stage-geometry.ts';
