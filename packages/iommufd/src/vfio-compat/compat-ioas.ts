// The address space that VFIO's type 1 calls work on, as they have no number to name one by.
// Source followed: get_compat_ioas, iommufd_vfio_compat_ioas_get_id and iommufd_vfio_compat_ioas_create in
// drivers/iommu/iommufd/vfio_compat.c.
// VFIO makes one when a group enters the container; IOMMU_VFIO_IOAS chooses another; no type 1 call makes any.
// Simplified: no mode without an IOMMU, which would refuse to have one.

import { Errno, failure, type Outcome, success } from '@sgfree/mm';
import type { IommufdContext } from '../objects/iommufd-context.ts';
import { IommufdIoas, iommufdIoasAlloc } from '../objects/iommufd-ioas.ts';
import {
  iommufdLockObj,
  iommufdObjectAbort,
  iommufdObjectFinalize,
  iommufdPutObject,
} from '../objects/object-life.ts';

/**
 * That address space, to be given back with `iommufdPutObject`; -ENODEV: there is none.
 * @kernel get_compat_ioas
 * @internal
 */
export function getCompatIoas(ctx: IommufdContext): Outcome<IommufdIoas> {
  const { vfioIoas } = ctx;
  return vfioIoas instanceof IommufdIoas && iommufdLockObj(vfioIoas)
    ? success(vfioIoas)
    : failure(Errno.ENODEV);
}

/**
 * Number of the address space that VFIO's type 1 calls work on; -ENODEV: there is none.
 * @kernel iommufd_vfio_compat_ioas_get_id
 * @public
 */
export function iommufdVfioCompatIoasGetId(ctx: IommufdContext): Outcome<number> {
  const ioas = getCompatIoas(ctx);
  if (!ioas.ok) return ioas;
  iommufdPutObject(ioas.value);
  return success(ioas.value.id);
}

/**
 * What VFIO does when a group enters the container: makes the address space of the type 1 calls unless there is one. User
 * space may use and destroy it like its own. 0, -ENOMEM or -EBUSY, the last two even where nothing would be made.
 * @kernel iommufd_vfio_compat_ioas_create
 * @public
 */
export function iommufdVfioCompatIoasCreate(ctx: IommufdContext): number {
  const made = iommufdIoasAlloc(ctx);
  if (!made.ok) return -made.errno;
  const present = getCompatIoas(ctx);
  if (present.ok) {
    iommufdPutObject(present.value);
    iommufdObjectAbort(ctx, made.value);
    return 0;
  }
  ctx.vfioIoas = made.value;
  iommufdObjectFinalize(ctx, made.value);
  return 0;
}
