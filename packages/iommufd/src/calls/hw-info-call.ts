// What the hardware behind a device can do.
// Source followed: iommufd_get_hw_info in drivers/iommu/iommufd/device.c.
// A type that user space asks for reaches the driver only with the flag for it; the driver refuses those it does not have.
// Simplified: no PASIDs, so their width is always 0; a driver that says nothing of its hardware has no type at all.

import { Errno, failure, type Outcome, success, warnViolation } from '@sgfree/mm';
import type { IommufdBoundDevice, IommuHardwareInfo } from '../objects/bound-device.ts';
import type { IommufdContext } from '../objects/iommufd-context.ts';
import { iommufdGetDevice } from '../objects/lookup.ts';
import { iommufdPutObject } from '../objects/object-life.ts';

/** Flag: the type of the data is asked for. @public */
export const IOMMU_HW_INFO_FLAG_INPUT_TYPE = 1;
/** Capability: pages that are written can be recorded. @public */
export const IOMMU_HW_CAP_DIRTY_TRACKING = 1;

/**
 * What the hardware says of itself.
 * @public
 */
export interface IommufdHwInfo {
  /** 0 where the driver says nothing. */
  readonly dataType: number;
  readonly data: Uint8Array;
  /** Bits of a PASID. */
  readonly maxPasidLog2: number;
  /** {@link IOMMU_HW_CAP_DIRTY_TRACKING}. */
  readonly capabilities: number;
}

/**
 * What the hardware behind device `devId` can do; `wantedType` counts with {@link IOMMU_HW_INFO_FLAG_INPUT_TYPE} only.
 * -EOPNOTSUPP (flags, or a type the driver does not have), -ENOENT, -ENODEV (a driver that names no type for its data).
 * @kernel iommufd_get_hw_info
 * @public
 */
export function iommufdGetHwInfo(
  ctx: IommufdContext,
  flags: number,
  devId: number,
  wantedType: number,
): Outcome<IommufdHwInfo> {
  if ((flags & ~IOMMU_HW_INFO_FLAG_INPUT_TYPE) !== 0) return failure(Errno.EOPNOTSUPP);
  const idev = iommufdGetDevice(ctx, devId);
  if (!idev.ok) return idev;
  const { device } = idev.value;
  iommufdPutObject(idev.value);
  const info = askDriver(ctx, device, (flags & IOMMU_HW_INFO_FLAG_INPUT_TYPE) === 0 ? 0 : wantedType);
  if (!info.ok) return info;
  const capabilities = device.dirtyTracking ? IOMMU_HW_CAP_DIRTY_TRACKING : 0;
  return success({ dataType: info.value.type, data: info.value.data, maxPasidLog2: 0, capabilities });
}

function askDriver(
  { platform }: IommufdContext,
  device: IommufdBoundDevice,
  wanted: number,
): Outcome<IommuHardwareInfo> {
  if (device.hardwareInfo === undefined) {
    // Nobody looks at the type then.
    return success({ type: 0, data: new Uint8Array(0) });
  }
  const info = device.hardwareInfo(wanted);
  if (!info.ok || info.value.type !== 0) return info;
  warnViolation(platform.log, 'iommufd-hw-info-type', { device: device.name });
  return failure(Errno.ENODEV);
}
