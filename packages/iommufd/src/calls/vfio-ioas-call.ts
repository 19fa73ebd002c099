// The address space that VFIO's older calls work on, when they are made on a context.
// Source followed: iommufd_vfio_ioas in drivers/iommu/iommufd/vfio_compat.c.
// Simplified: the older calls themselves are not here.

import { Errno, failure, type Outcome, success } from '@sgfree/mm';
import type { IommufdContext } from '../objects/iommufd-context.ts';
import { iommufdGetIoas } from '../objects/lookup.ts';
import { iommufdLockObj, iommufdPutObject } from '../objects/object-life.ts';

/**
 * What is done with that address space.
 * @public
 */
export const IommuVfioIoasOp = { GET: 0, SET: 1, CLEAR: 2 } as const;

/**
 * Reads, sets or clears it; the number of the address space, 0 after clearing. -EOPNOTSUPP (operation), -ENODEV (none is
 * set), -ENOENT.
 * @kernel iommufd_vfio_ioas
 * @public
 */
export function iommufdVfioIoas(ctx: IommufdContext, op: number, ioasId: number): Outcome<number> {
  if (op === IommuVfioIoasOp.GET) return currentIoas(ctx);
  if (op === IommuVfioIoasOp.SET) return setIoas(ctx, ioasId);
  if (op !== IommuVfioIoasOp.CLEAR) return failure(Errno.EOPNOTSUPP);
  ctx.vfioIoas = null;
  return success(0);
}

function currentIoas(ctx: IommufdContext): Outcome<number> {
  const { vfioIoas } = ctx;
  if (vfioIoas === null || !iommufdLockObj(vfioIoas)) return failure(Errno.ENODEV);
  iommufdPutObject(vfioIoas);
  return success(vfioIoas.id);
}

function setIoas(ctx: IommufdContext, ioasId: number): Outcome<number> {
  const ioas = iommufdGetIoas(ctx, ioasId);
  if (!ioas.ok) return ioas;
  ctx.vfioIoas = ioas.value;
  iommufdPutObject(ioas.value);
  return success(ioas.value.id);
}
