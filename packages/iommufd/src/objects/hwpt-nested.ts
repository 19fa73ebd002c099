// IommufdHwptNested: a page table of a guest on top of one of the host.
// Source followed: struct iommufd_hwpt_nested and iommufd_hwpt_nested_alloc in drivers/iommu/iommufd/hw_pagetable.c.
// Simplified: what the table is and does is the IOMMU driver's; no vIOMMU objects.

import type { ModelTask } from '@sgfree/hw-model';
import { Errno, failure, type Outcome, success } from '@sgfree/mm';
import { IommuHwptAllocFlag, type IommuUserData } from './bound-device.ts';
import type { IommufdFault } from './fault-queue.ts';
import type { IommufdHwptPaging } from './hwpt-paging.ts';
import type { IommufdContext } from './iommufd-context.ts';
import type { IommufdDevice } from './iommufd-device.ts';
import { IommufdObject, objectUnused, objectUsed } from './iommufd-object.ts';
import { iommufdObjectAbortAndDestroy, iommufdObjectAlloc } from './object-life.ts';

/**
 * A nested page table.
 * @kernel iommufd_hwpt_nested
 * @public
 */
export class IommufdHwptNested extends IommufdObject {
  readonly type = 'hwpt-nested';
  readonly parent: IommufdHwptPaging;
  /** The driver's own table; null until it has made it. */
  nested: object | null = null;
  fault: IommufdFault | null = null;

  constructor(parent: IommufdHwptPaging) {
    super();
    this.parent = parent;
    objectUsed(parent);
  }

  *destroy(): ModelTask<void> {
    if (this.fault !== null) objectUnused(this.fault);
    objectUnused(this.parent);
    yield* [];
  }
}

/**
 * A page table of either kind.
 * @kernel iommufd_hw_pagetable
 * @public
 */
export type IommufdHwPagetable = IommufdHwptPaging | IommufdHwptNested;

/**
 * A new, still invisible nested table. -EOPNOTSUPP: no data, flags or a driver that cannot nest; -EINVAL: the parent was
 * not made to be one, or by another driver; what the driver answers.
 * @kernel iommufd_hwpt_nested_alloc
 * @public
 */
export function* iommufdHwptNestedAlloc(
  ctx: IommufdContext,
  parent: IommufdHwptPaging,
  idev: IommufdDevice,
  flags: number,
  data: IommuUserData,
): ModelTask<Outcome<IommufdHwptNested>> {
  const { device } = idev;
  const taken = IommuHwptAllocFlag.FAULT_ID_VALID | IommuHwptAllocFlag.PASID;
  if ((flags & ~taken) !== 0 || data.length === 0 || device.allocNestedDomain === undefined) {
    return failure(Errno.EOPNOTSUPP);
  }
  const { domain } = parent;
  if (parent.autoDomain || !parent.nestParent || domain === null) return failure(Errno.EINVAL);
  if (parent.device.iommuDriver !== device.iommuDriver) return failure(Errno.EINVAL);
  const made = iommufdObjectAlloc(ctx, new IommufdHwptNested(parent));
  if (!made.ok) {
    objectUnused(parent);
    return made;
  }
  const ownFlags = flags & ~IommuHwptAllocFlag.FAULT_ID_VALID;
  const nested = yield* device.allocNestedDomain(domain, ownFlags, data);
  if (nested.ok) {
    made.value.nested = nested.value;
    return success(made.value);
  }
  yield* iommufdObjectAbortAndDestroy(ctx, made.value);
  return nested;
}
