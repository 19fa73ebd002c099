// IommufdGroup: the devices of one isolation group in a context: they are attached to the same page table or to none.
// Source followed: struct iommufd_group, iommufd_hw_pagetable_attach and iommufd_hw_pagetable_detach in
// drivers/iommu/iommufd/device.c.
// The first device really attaches the hardware; every device reserves its own regions.
// Simplified: no PASIDs.

import type { ModelTask, TaskMutex } from '@sgfree/hw-model';
import { Errno } from '@sgfree/mm';
import { ioptRemoveReservedIova, ioptTableEnforceDevResvRegions } from '../io-pagetable/reserve-iova.ts';
import type { IommufdHwPagetable } from './hwpt-nested.ts';
import type { IommufdHwptPaging } from './hwpt-paging.ts';
import type { IommuGroup } from './iommu-group.ts';
import type { IommufdContext } from './iommufd-context.ts';
import type { IommufdDevice } from './iommufd-device.ts';
import { objectUsed } from './iommufd-object.ts';

/**
 * A group within a context.
 * @kernel iommufd_group
 * @public
 */
export class IommufdGroup {
  readonly group: IommuGroup;
  readonly lock: TaskMutex;
  /** Where the group is attached; null = nowhere. */
  hwpt: IommufdHwPagetable | null = null;
  /** The attached devices, the oldest first. */
  readonly attached: Set<IommufdDevice> = new Set();
  /** Bound devices. */
  refs = 0;

  constructor(group: IommuGroup, lock: TaskMutex) {
    this.group = group;
    this.lock = lock;
  }
}

/**
 * The group of the context, made when it is the first device's.
 * @kernel iommufd_get_group
 * @internal
 */
export function iommufdGetGroup(ctx: IommufdContext, group: IommuGroup): IommufdGroup {
  const igroup = ctx.groups.get(group) ?? new IommufdGroup(group, ctx.platform.mutex('igroup_lock'));
  ctx.groups.set(group, igroup);
  igroup.refs += 1;
  return igroup;
}

/**
 * Gives {@link iommufdGetGroup} back.
 * @kernel iommufd_put_group
 * @internal
 */
export function iommufdPutGroup(ctx: IommufdContext, igroup: IommufdGroup): void {
  igroup.refs -= 1;
  if (igroup.refs === 0) ctx.groups.delete(igroup.group);
}

/**
 * The page table over an address space that `hwpt` is or stands on.
 * @kernel find_hwpt_paging
 * @internal
 */
export const findHwptPaging = (hwpt: IommufdHwPagetable): IommufdHwptPaging =>
  hwpt.type === 'hwpt-paging' ? hwpt : hwpt.parent;

/**
 * Attaches `idev`. 0; -EINVAL: it is attached already, or its group to another table, or the table does not fit;
 * -EADDRINUSE: one of its regions is in use.
 * @kernel iommufd_hw_pagetable_attach
 * @internal
 */
export function* iommufdHwPagetableAttach(hwpt: IommufdHwPagetable, idev: IommufdDevice): ModelTask<number> {
  const { lock } = idev.group;
  yield* lock.lock();
  const error = yield* attachLocked(hwpt, idev);
  lock.unlock();
  return error;
}

function* attachLocked(hwpt: IommufdHwPagetable, idev: IommufdDevice): ModelTask<number> {
  const { group, device } = idev;
  if (group.attached.has(idev) || (group.hwpt !== null && group.hwpt !== hwpt)) return -Errno.EINVAL;
  const { iopt } = findHwptPaging(hwpt).ioas;
  const reserved = yield* ioptTableEnforceDevResvRegions(iopt, idev, device.reservedRegions);
  if (reserved !== 0) return reserved;
  if (group.hwpt === null) {
    const error = attachHardware(hwpt, idev);
    if (error !== 0) {
      yield* ioptRemoveReservedIova(iopt, idev);
      return error;
    }
    group.hwpt = hwpt;
  }
  objectUsed(hwpt);
  group.attached.add(idev);
  return 0;
}

/** Lets the group's DMA go through `hwpt`. @internal */
export function attachHardware(hwpt: IommufdHwPagetable, { device }: IommufdDevice): number {
  if (hwpt.type === 'hwpt-nested') {
    if (hwpt.nested === null || device.attachGroupNested === undefined) return -Errno.EINVAL;
    return device.attachGroupNested(hwpt.nested);
  }
  return hwpt.domain === null ? -Errno.EINVAL : device.attachGroup(hwpt.domain);
}

/**
 * Detaches `idev`; the table it was attached to, of which the caller now holds the reference, or null.
 * @kernel iommufd_hw_pagetable_detach
 * @internal
 */
export function* iommufdHwPagetableDetach(idev: IommufdDevice): ModelTask<IommufdHwPagetable | null> {
  const { group, device } = idev;
  yield* group.lock.lock();
  const { hwpt } = group;
  if (hwpt !== null && group.attached.delete(idev)) {
    const { domain, ioas } = findHwptPaging(hwpt);
    if (group.attached.size === 0) {
      if (domain !== null) device.detachGroup(domain);
      group.hwpt = null;
    }
    yield* ioptRemoveReservedIova(ioas.iopt, idev);
    group.lock.unlock();
    return hwpt;
  }
  group.lock.unlock();
  return null;
}
