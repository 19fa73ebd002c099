// What a VFIO user can call at stage 5: as stage 3, and BARs exported by mapping types, tables the last of them.

export { VfioVirtualConfig } from './config/virtual-config.ts';
export { VFIO_DEVICE_IOCTL, vfioDeviceFopsUnlIoctl } from './device/device-ioctl.ts';
export { VfioDeviceSet } from './device/hot-reset.ts';
export { type DecodingStop, MemoryDecoding } from './device/memory-decoding.ts';
export { vfioPciMemoryEnabled } from './device/memory-enabled.ts';
export { vfioPciCoreCloseDevice, vfioPciCoreEnable } from './device/open-close.ts';
export type { PciPowerState } from './device/pci-power-state.ts';
export { functionReset, type PciResetMethod } from './device/reset-function.ts';
export { VfioBarMapping, vfioPciCoreMmap } from './device/user-bar-mapping.ts';
export {
  type VfioCounters,
  VfioPciDevice,
  type VfioPciDeviceOptions,
  type VfioRuntimePm,
} from './device/vfio-pci-device.ts';
export { VfioRegistration } from './device/vfio-registration.ts';
export { VFIO_FEATURE, VFIO_FEATURE_FLAG, vfioIoctlDeviceFeature } from './export/device-feature.ts';
export type { VfioMapping } from './export/exporter-mapping.ts';
export { vfioPciCoreFeatureDmaBuf } from './export/feature-dma-buf.ts';
export type { VfioDmaBufRequest } from './export/feature-payload.ts';
export {
  type VfioGetDmabufPhys,
  type VfioRegionDmaRange,
  vfioPciCoreFillPhysVec,
  vfioPciCoreGetDmabufPhys,
} from './export/get-dmabuf-phys.ts';
export type { VfioSgTable, VfioSgtOptions } from './export/sgt-mapping.ts';
export { VfioPciDmaBuf, type VfioPhysRanges } from './export/vfio-pci-dma-buf.ts';
export { vfioSgtMapping, vfioSgtOffer } from './mapping-type/sgt-offer.ts';
export {
  type VfioMappingTypesOptions,
  type VfioOffer,
  vfioMappingTypes,
} from './mapping-type/vfio-mapping-types.ts';
