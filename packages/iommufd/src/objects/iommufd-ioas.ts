// IommufdIoas: an I/O address space as an object: the table of areas and the page tables that show it.
// Source followed: struct iommufd_ioas, iommufd_ioas_alloc and iommufd_ioas_destroy in drivers/iommu/iommufd/ioas.c.
// Simplified: none.

import type { ModelTask, TaskMutex } from '@sgfree/hw-model';
import { Errno, type Outcome, warnViolation } from '@sgfree/mm';
import { IoPagetable, ioptDestroyTable } from '../io-pagetable/io-pagetable.ts';
import { ioptUnmapAll } from '../io-pagetable/unmap-iova.ts';
import type { IommufdHwptPaging } from './hwpt-paging.ts';
import type { IommufdContext } from './iommufd-context.ts';
import { IommufdObject } from './iommufd-object.ts';
import { iommufdObjectAlloc } from './object-life.ts';

/**
 * An I/O address space.
 * @kernel iommufd_ioas
 * @public
 */
export class IommufdIoas extends IommufdObject {
  readonly type = 'ioas';
  readonly iopt: IoPagetable;
  /** Guards the list of page tables; held while one is made. */
  readonly mutex: TaskMutex;
  readonly hwpts: IommufdHwptPaging[] = [];

  constructor(ctx: IommufdContext) {
    super();
    this.iopt = new IoPagetable(ctx.platform);
    this.mutex = ctx.platform.mutex('ioas_mutex');
  }

  *destroy(): ModelTask<void> {
    const unmapped = yield* ioptUnmapAll(this.iopt);
    if (!unmapped.ok && unmapped.errno !== Errno.ENOENT) {
      warnViolation(this.iopt.platform.log, 'iommufd-ioas-not-empty', { id: this.id, errno: unmapped.errno });
    }
    ioptDestroyTable(this.iopt);
  }
}

/**
 * A new, still invisible address space. -ENOMEM, -EBUSY.
 * @kernel iommufd_ioas_alloc
 * @public
 */
export function iommufdIoasAlloc(ctx: IommufdContext): Outcome<IommufdIoas> {
  return iommufdObjectAlloc(ctx, new IommufdIoas(ctx));
}
