// What a VFIO user can call at stage 3: a device that is opened and closed, and BARs exported as dma-bufs, through tables.

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
export { type VfioSgTable, type VfioSgtOptions, vfioSgtMapping } from './export/sgt-mapping.ts';
export { VfioPciDmaBuf, type VfioPhysRanges } from './export/vfio-pci-dma-buf.ts';
