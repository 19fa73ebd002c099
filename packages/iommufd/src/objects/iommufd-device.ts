// IommufdDevice: a device that a driver has bound to a context.
// Source followed: struct iommufd_device, iommufd_device_bind and iommufd_device_unbind in drivers/iommu/iommufd/device.c.
// The driver itself is a user: user space cannot destroy a bound device.
// Simplified: interrupts need no window of their own.

import { fput, getFile } from '@sgfree/dma-buf';
import type { ModelTask } from '@sgfree/hw-model';
import { Errno, failure, type Outcome, success } from '@sgfree/mm';
import type { IommufdBoundDevice } from './bound-device.ts';
import { iommuDeviceClaimDmaOwner, iommuDeviceReleaseDmaOwner } from './iommu-group.ts';
import type { IommufdContext } from './iommufd-context.ts';
import { type IommufdGroup, iommufdGetGroup, iommufdPutGroup } from './iommufd-group.ts';
import { IommufdObject, objectUsed } from './iommufd-object.ts';
import { iommufdObjectAlloc, iommufdObjectDestroyUser, iommufdObjectFinalize } from './object-life.ts';

/**
 * A bound device.
 * @kernel iommufd_device
 * @public
 */
export class IommufdDevice extends IommufdObject {
  readonly type = 'device';
  readonly ctx: IommufdContext;
  readonly device: IommufdBoundDevice;
  readonly group: IommufdGroup;

  constructor(ctx: IommufdContext, device: IommufdBoundDevice, group: IommufdGroup) {
    super();
    this.ctx = ctx;
    this.device = device;
    this.group = group;
  }

  *destroy(): ModelTask<void> {
    iommuDeviceReleaseDmaOwner(this.device.group);
    iommufdPutGroup(this.ctx, this.group);
    if (this.device.selftest !== true) yield* fput(this.ctx);
  }
}

/**
 * A driver binds `device`, which keeps the context open. -EINVAL: its DMA is not coherent; -EPERM: its group belongs to
 * somebody else; -ENOMEM.
 * @kernel iommufd_device_bind
 * @public
 */
export function iommufdDeviceBind(ctx: IommufdContext, device: IommufdBoundDevice): Outcome<IommufdDevice> {
  if (!device.cacheCoherent) return failure(Errno.EINVAL);
  const group = iommufdGetGroup(ctx, device.group);
  const claimed = iommuDeviceClaimDmaOwner(device.group, ctx);
  if (claimed !== 0) {
    iommufdPutGroup(ctx, group);
    return failure(-claimed as Errno);
  }
  const made = iommufdObjectAlloc(ctx, new IommufdDevice(ctx, device, group));
  if (!made.ok) {
    iommuDeviceReleaseDmaOwner(device.group);
    iommufdPutGroup(ctx, group);
    return made;
  }
  if (device.selftest !== true) getFile(ctx);
  objectUsed(made.value);
  iommufdObjectFinalize(ctx, made.value);
  return success(made.value);
}

/**
 * The driver gives the device up; it must be detached.
 * @kernel iommufd_device_unbind
 * @public
 */
export function* iommufdDeviceUnbind(idev: IommufdDevice): ModelTask<void> {
  yield* iommufdObjectDestroyUser(idev.ctx, idev);
}
