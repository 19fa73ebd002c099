// Finding the object that a call names, kept for as long as the call runs.
// Source followed: iommufd_get_ioas, iommufd_get_device, iommufd_get_hwpt_paging, iommufd_get_fault in
// drivers/iommu/iommufd/iommufd_private.h.
// Simplified: none.

import { Errno, failure, type Outcome, success } from '@sgfree/mm';
import { IommufdFault } from './fault-queue.ts';
import { IommufdHwptPaging } from './hwpt-paging.ts';
import type { IommufdContext } from './iommufd-context.ts';
import { IommufdDevice } from './iommufd-device.ts';
import { IommufdIoas } from './iommufd-ioas.ts';
import type { IommufdObject } from './iommufd-object.ts';
import { iommufdLockObj } from './object-life.ts';

function getOf<T extends IommufdObject>(
  ctx: IommufdContext,
  id: number,
  isOne: (obj: IommufdObject | undefined) => obj is T,
): Outcome<T> {
  const obj = ctx.objects.at(id);
  return isOne(obj) && iommufdLockObj(obj) ? success(obj) : failure(Errno.ENOENT);
}

/**
 * The address space `id`, to be given back with `iommufdPutObject`; -ENOENT.
 * @kernel iommufd_get_ioas
 * @public
 */
export const iommufdGetIoas = (ctx: IommufdContext, id: number): Outcome<IommufdIoas> =>
  getOf(ctx, id, (obj) => obj instanceof IommufdIoas);

/**
 * The device `id`, to be given back with `iommufdPutObject`; -ENOENT.
 * @kernel iommufd_get_device
 * @public
 */
export const iommufdGetDevice = (ctx: IommufdContext, id: number): Outcome<IommufdDevice> =>
  getOf(ctx, id, (obj) => obj instanceof IommufdDevice);

/**
 * The page table `id` over an address space, to be given back with `iommufdPutObject`; -ENOENT.
 * @kernel iommufd_get_hwpt_paging
 * @public
 */
export const iommufdGetHwptPaging = (ctx: IommufdContext, id: number): Outcome<IommufdHwptPaging> =>
  getOf(ctx, id, (obj) => obj instanceof IommufdHwptPaging);

/**
 * The queue of page requests `id`, to be given back with `iommufdPutObject`; -ENOENT.
 * @kernel iommufd_get_fault
 * @public
 */
export const iommufdGetFault = (ctx: IommufdContext, id: number): Outcome<IommufdFault> =>
  getOf(ctx, id, (obj) => obj instanceof IommufdFault);
