// The newest surface of vfio-dmabuf, that of stage 8.

export { vfioPciConfigRead, vfioPciConfigWrite } from './config/config-write.ts';
export { VfioVirtualConfig } from './config/virtual-config.ts';
export { VFIO_DEVICE_IOCTL, vfioDeviceFopsUnlIoctl } from './device/device-ioctl.ts';
export { vfioPciIoctlReset } from './device/device-reset.ts';
export { VfioDeviceSet, vfioPciDevSetHotReset } from './device/hot-reset.ts';
export { type DecodingStop, MemoryDecoding } from './device/memory-decoding.ts';
export { vfioPciMemoryEnabled, vfioPciZapBars } from './device/memory-enabled.ts';
export { vfioPciCoreCloseDevice, vfioPciCoreEnable } from './device/open-close.ts';
export type { PciPowerState } from './device/pci-power-state.ts';
export { vfioLockAndSetPowerState } from './device/power-state.ts';
export { functionReset, type PciResetMethod } from './device/reset-function.ts';
export { vfioPciRuntimePmEntry, vfioPciRuntimePmExit } from './device/runtime-power.ts';
export { VfioBarMapping, vfioPciCoreMmap } from './device/user-bar-mapping.ts';
export {
  type VfioCounters,
  VfioPciDevice,
  type VfioPciDeviceOptions,
  type VfioRuntimePm,
} from './device/vfio-pci-device.ts';
export { VfioRegistration } from './device/vfio-registration.ts';
export { VFIO_FEATURE, VFIO_FEATURE_FLAG, vfioIoctlDeviceFeature } from './export/device-feature.ts';
export { vfioPciDmaBufCleanup } from './export/dma-buf-cleanup.ts';
export { vfioPciDmaBufMove } from './export/dma-buf-move.ts';
export type { VfioMapping } from './export/exporter-mapping.ts';
export { vfioPciCoreFeatureDmaBuf } from './export/feature-dma-buf.ts';
export type { VfioDmaBufRequest } from './export/feature-payload.ts';
export {
  type VfioGetDmabufPhys,
  type VfioRegionDmaRange,
  vfioPciCoreFillPhysVec,
  vfioPciCoreGetDmabufPhys,
} from './export/get-dmabuf-phys.ts';
export { vfioPciDmaBufIommufdMap } from './export/iommufd-map.ts';
export { VfioPciDmaBuf, type VfioPhysRanges } from './export/vfio-pci-dma-buf.ts';
export { type VfioMappingTypesOptions, vfioMappingTypes } from './mapping-type/types-without-tables.ts';
export type { VfioOffer } from './mapping-type/vfio-mapping-types.ts';
