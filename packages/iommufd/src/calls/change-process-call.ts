// Another process takes over the pinned pages of a context: what was charged to the old one is charged to it.
// Source followed: iommufd_ioas_change_process and iommufd_take_all_iova_rwsem in drivers/iommu/iommufd/ioas.c.
// Simplified: none.

import type { ModelTask } from '@sgfree/hw-model';
import { ioptChangeProcess } from '../io-pagetable/change-process.ts';
import type { IommufdContext } from '../objects/iommufd-context.ts';
import { IommufdIoas } from '../objects/iommufd-ioas.ts';
import { iommufdLockObj, iommufdPutObject } from '../objects/object-life.ts';

/**
 * Charges everything pinned through the context to the process that calls. -EBUSY (an area is being made or torn down),
 * -EINVAL (an area is not of a file), -ENOMEM (its limit), and then nothing has changed.
 * @kernel iommufd_ioas_change_process
 * @public
 */
export function* iommufdIoasChangeProcess(ctx: IommufdContext): ModelTask<number> {
  const spaces: IommufdIoas[] = [];
  for (const obj of ctx.objects.objects) {
    if (obj instanceof IommufdIoas && iommufdLockObj(obj)) spaces.push(obj);
  }
  const error = yield* ioptChangeProcess(
    spaces.map(({ iopt }) => iopt),
    ctx.process,
  );
  for (const ioas of spaces) iommufdPutObject(ioas);
  return error;
}
