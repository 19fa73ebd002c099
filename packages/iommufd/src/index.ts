// The newest surface of @sgfree/iommufd.

export { type IommufdIoctlArgument, iommufdFopsIoctl } from './abi/iommufd-fops-ioctl.ts';
export {
  decodeIommufdStruct,
  encodeIommufdStruct,
  type IommufdFieldValues,
  iommufdStruct,
  StructBytes,
} from './abi/struct-codec.ts';
export {
  IOMMUFD_STRUCTS,
  type IommufdField,
  type IommufdFieldUse,
  type IommufdStruct,
} from './abi/struct-layouts.ts';
export { iommufdAccessPinPages, iommufdAccessUnpinPages } from './access/access-pin.ts';
export { iommufdAccessRw } from './access/access-rw.ts';
export {
  type IommufdAccessOps,
  IoptAccess,
  iommufdAccessAttach,
  iommufdAccessDetach,
  iommufdAccessReplace,
} from './access/iopt-access.ts';
export type { IoptArea, IoptAreaPlace } from './area/iopt-area.ts';
export type { IommufdAnswer } from './calls/answer.ts';
export { iommufdIoasChangeProcess } from './calls/change-process-call.ts';
export {
  IOMMU_HWPT_DIRTY_TRACKING_ENABLE,
  IOMMU_HWPT_GET_DIRTY_BITMAP_NO_CLEAR,
  type IommufdDirtyBits,
  type IommufdDirtyWindow,
  iommufdHwptGetDirtyBitmap,
  iommufdHwptSetDirtyTracking,
} from './calls/dirty-calls.ts';
export {
  IOMMU_HW_CAP_DIRTY_TRACKING,
  IOMMU_HW_INFO_FLAG_INPUT_TYPE,
  type IommufdHwInfo,
  iommufdGetHwInfo,
} from './calls/hw-info-call.ts';
export { type IommufdHwptAllocation, iommufdHwptAlloc } from './calls/hwpt-alloc-call.ts';
export { iommufdIoasAllocIoctl, iommufdIoasAllowIovas, iommufdIoasIovaRanges } from './calls/ioas-calls.ts';
export {
  type IommufdCopy,
  type IommufdMap,
  type IommufdMapFile,
  IommuIoasMapFlag,
  iommufdIoasCopy,
  iommufdIoasMap,
  iommufdIoasMapFile,
  iommufdIoasUnmap,
} from './calls/map-calls.ts';
export { type IommufdOptionCall, IommuOption, iommufdOption } from './calls/option-call.ts';
export { IommuVfioIoasOp, iommufdVfioIoas } from './calls/vfio-ioas-call.ts';
export type { DoorAnswer } from './dmabuf/door-answer.ts';
export { doorTraits, type IommufdDoorTraits } from './dmabuf/door-traits.ts';
export { type FrameRun, FrameRuns } from './dmabuf/frame-runs.ts';
export type { IommufdDoor } from './dmabuf/iommufd-door.ts';
export type { IoptDmaBuf, TrackedPlace } from './dmabuf/iopt-dma-buf.ts';
export { AmdBoundDevice, type AmdBoundDeviceOptions } from './domain/amd-bound-device.ts';
export { IoptDomain, type IoptDomainOptions } from './domain/iopt-domain.ts';
export {
  type IommuUnitDriver,
  UnitBoundDevice,
  type UnitBoundDeviceOptions,
} from './domain/unit-bound-device.ts';
export { VtdBoundDevice, type VtdBoundDeviceOptions } from './domain/vtd-bound-device.ts';
export { ioptChangeProcess } from './io-pagetable/change-process.ts';
export { ioptCutIova } from './io-pagetable/cut-iova.ts';
export { ioptReadAndClearDirtyData, ioptSetDirtyTracking } from './io-pagetable/dirty-tracking.ts';
export { ioptGetPages } from './io-pagetable/get-pages.ts';
export {
  IoPagetable,
  type IoptIovaRanges,
  ioptDestroyTable,
  ioptIovaRanges,
} from './io-pagetable/io-pagetable.ts';
export { ioptDisableLargePages, ioptEnableLargePages } from './io-pagetable/large-pages.ts';
export { type IoptPagesElement, ioptMapPages } from './io-pagetable/map-pages.ts';
export { type IoptMapRequest, ioptMapFilePages, ioptMapUserPages } from './io-pagetable/map-source.ts';
export type { RangeSet } from './io-pagetable/range-set.ts';
export {
  ioptRemoveReservedIova,
  ioptReserveIova,
  ioptSetAllowIova,
  ioptTableEnforceDevResvRegions,
} from './io-pagetable/reserve-iova.ts';
export type { ReservedRanges } from './io-pagetable/reserved-ranges.ts';
export { ioptTableAddDomain, ioptTableRemoveDomain } from './io-pagetable/table-domains.ts';
export { ioptUnmapAll, ioptUnmapIova, type UnmappedBytes } from './io-pagetable/unmap-iova.ts';
export {
  type IommufdInterconnect,
  IommufdPlatform,
  type IommufdPlatformOptions,
} from './iommufd-platform.ts';
export { IommufdProcess, IommufdUser, type IoptAccountMode } from './iommufd-process.ts';
export type { IommufdBoundDevice, IommuHardwareInfo, IommuUserData } from './objects/bound-device.ts';
export { IommuHwptAllocFlag } from './objects/bound-device.ts';
export { iommufdDeviceAttach, iommufdDeviceDetach, iommufdDeviceReplace } from './objects/device-attach.ts';
export type { IommufdFault } from './objects/fault-queue.ts';
export { iommufdFaultAlloc } from './objects/fault-queue.ts';
export { type IommufdHwPagetable, IommufdHwptNested, iommufdHwptNestedAlloc } from './objects/hwpt-nested.ts';
export { IommufdHwptPaging, iommufdHwptPagingAlloc } from './objects/hwpt-paging.ts';
export { IommuGroup, iommuDeviceClaimDmaOwner, iommuDeviceReleaseDmaOwner } from './objects/iommu-group.ts';
export { IommufdAccess, iommufdAccessCreate, iommufdAccessDestroy } from './objects/iommufd-access.ts';
export type { IommufdAccountMode } from './objects/iommufd-context.ts';
export { IommufdContext, type IommufdContextOptions, iommufdFopsOpen } from './objects/iommufd-context.ts';
export { IommufdDevice, iommufdDeviceBind, iommufdDeviceUnbind } from './objects/iommufd-device.ts';
export type { IommufdGroup } from './objects/iommufd-group.ts';
export { IommufdIoas, iommufdIoasAlloc } from './objects/iommufd-ioas.ts';
export { IommufdObject, type IommufdObjectType } from './objects/iommufd-object.ts';
export { iommufdGetDevice, iommufdGetFault, iommufdGetHwptPaging, iommufdGetIoas } from './objects/lookup.ts';
export {
  iommufdDestroy,
  iommufdGetObject,
  iommufdLockObj,
  iommufdObjectAbort,
  iommufdObjectAbortAndDestroy,
  iommufdObjectAlloc,
  iommufdObjectDestroyUser,
  iommufdObjectFinalize,
  iommufdObjectPutAndTryDestroy,
  iommufdObjectRemove,
  iommufdPutObject,
} from './objects/object-life.ts';
export { ObjectTable } from './objects/object-table.ts';
export type { IoptPages, IoptPagesParts, PagesAccess } from './pages/iopt-pages.ts';
export { MemfdFile } from './pages/memfd-file.ts';
export type { DmaBufSource, FileSource, PageSource, UserSource } from './pages/page-source.ts';
export { MOCK_APERTURE, MOCK_PAGE_SIZE, MockDevice, type MockDeviceOptions } from './selftest/mock-device.ts';
export {
  iommufdTestAddReserved,
  iommufdTestMdCheckPa,
  iommufdTestMockDomain,
  type MockDomainIds,
} from './selftest/selftest-device.ts';
export {
  bigintOfU64,
  type U64,
  U64_MAX,
  U64_ZERO,
  type U64Range,
  u64,
  u64AlignUp,
  u64At,
  u64Compare,
  u64Hex,
  u64IsZero,
  u64Max,
  u64Min,
  u64Minus,
  u64Next,
  u64Number,
  u64OfBigint,
  u64Overlap,
  u64Plus,
  u64Previous,
  u64RangeOf,
  u64Span,
  u64SumWraps,
  u64Within,
} from './u64/u64.ts';
export { iommufdVfioCompatIoasCreate, iommufdVfioCompatIoasGetId } from './vfio-compat/compat-ioas.ts';
export { VfioInfoCap } from './vfio-compat/info-capabilities.ts';
export { openVfioContainer } from './vfio-compat/vfio-container.ts';
export {
  iommufdVfioCheckExtension,
  iommufdVfioSetIommu,
  VfioExtension,
} from './vfio-compat/vfio-extension.ts';
export { iommufdVfioIommuGetInfo, type VfioIommuInfo } from './vfio-compat/vfio-get-info.ts';
export { iommufdVfioMapDma, type VfioDmaMap, VfioDmaMapFlag } from './vfio-compat/vfio-map-dma.ts';
export { VFIO_API_VERSION, VFIO_COMPAT_STRUCTS, VfioRequest } from './vfio-compat/vfio-structs.ts';
export {
  iommufdVfioUnmapDma,
  type VfioDmaUnmap,
  VfioDmaUnmapFlag,
  type VfioDmaUnmapped,
} from './vfio-compat/vfio-unmap-dma.ts';
