// Attaching a bound device to an address space or a page table, moving it to another, detaching it.
// Source followed: iommufd_device_change_pt, iommufd_device_auto_get_domain, iommufd_device_do_replace and
// iommufd_hw_pagetable_put in drivers/iommu/iommufd.
// An address space is shown through a table of its own making, which goes away with its last device.
// Simplified: no PASIDs.

import type { ModelTask } from '@sgfree/hw-model';
import { Errno, failure, type Outcome, success } from '@sgfree/mm';
import { ioptRemoveReservedIova, ioptTableEnforceDevResvRegions } from '../io-pagetable/reserve-iova.ts';
import type { IommufdHwPagetable } from './hwpt-nested.ts';
import { IommufdHwptNested } from './hwpt-nested.ts';
import { IommufdHwptPaging, iommufdHwptPagingAlloc } from './hwpt-paging.ts';
import type { IommufdDevice } from './iommufd-device.ts';
import {
  attachHardware,
  findHwptPaging,
  type IommufdGroup,
  iommufdHwPagetableAttach,
  iommufdHwPagetableDetach,
} from './iommufd-group.ts';
import { IommufdIoas } from './iommufd-ioas.ts';
import { type IommufdObject, objectUnused, objectUsed } from './iommufd-object.ts';
import {
  iommufdGetObject,
  iommufdLockObj,
  iommufdObjectAbortAndDestroy,
  iommufdObjectFinalize,
  iommufdObjectPutAndTryDestroy,
  iommufdPutObject,
} from './object-life.ts';

/** What an attachment led to: the table, and the one that the device left. */
interface Moved {
  readonly hwpt: IommufdHwPagetable;
  readonly left: IommufdHwPagetable | null;
}

/** Attaches or replaces: the table that was left (null = none). */
type Change = (
  hwpt: IommufdHwPagetable,
  idev: IommufdDevice,
) => ModelTask<Outcome<IommufdHwPagetable | null>>;

/**
 * Attaches `idev` to the address space or page table `ptId`; the number of the table. -ENOENT: no such object; -EINVAL: of
 * another type, attached already, or not fitting; -EADDRINUSE and others of a new table.
 * @kernel iommufd_device_attach
 * @public
 */
export function* iommufdDeviceAttach(idev: IommufdDevice, ptId: number): ModelTask<Outcome<number>> {
  const attached = yield* changePt(idev, ptId, doAttach);
  // The attachment is a user of the device until it is detached.
  if (attached.ok) objectUsed(idev);
  return attached;
}

/**
 * Moves an attached device, and its whole group, to the address space or page table `ptId` without a gap; the number of
 * the table. Errors as for attaching; -EINVAL when it is not attached.
 * @kernel iommufd_device_replace
 * @public
 */
export function* iommufdDeviceReplace(idev: IommufdDevice, ptId: number): ModelTask<Outcome<number>> {
  return yield* changePt(idev, ptId, doReplace);
}

/**
 * Detaches `idev`; a table of the address space's own making goes with its last device.
 * @kernel iommufd_device_detach
 * @public
 */
export function* iommufdDeviceDetach(idev: IommufdDevice): ModelTask<void> {
  const hwpt = yield* iommufdHwPagetableDetach(idev);
  if (hwpt === null) return;
  yield* hwPagetablePut(idev, hwpt);
  objectUnused(idev);
}

function* changePt(idev: IommufdDevice, ptId: number, change: Change): ModelTask<Outcome<number>> {
  const found = iommufdGetObject(idev.ctx, ptId, 'any');
  if (!found.ok) return found;
  const moved = yield* changeTo(idev, found.value, change);
  iommufdPutObject(found.value);
  if (!moved.ok) return moved;
  const { hwpt, left } = moved.value;
  const { id } = hwpt;
  if (left !== null) yield* hwPagetablePut(idev, left);
  return success(id);
}

function* changeTo(idev: IommufdDevice, pt: IommufdObject, change: Change): ModelTask<Outcome<Moved>> {
  if (pt instanceof IommufdIoas) return yield* autoGetDomain(idev, pt, change);
  if (!(pt instanceof IommufdHwptPaging || pt instanceof IommufdHwptNested)) return failure(Errno.EINVAL);
  const left = yield* change(pt, idev);
  return left.ok ? success({ hwpt: pt, left: left.value }) : left;
}

function* autoGetDomain(idev: IommufdDevice, ioas: IommufdIoas, change: Change): ModelTask<Outcome<Moved>> {
  yield* ioas.mutex.lock();
  const moved = (yield* tryAutoDomains(idev, ioas, change)) ?? (yield* newAutoDomain(idev, ioas, change));
  ioas.mutex.unlock();
  return moved;
}

/** Null: none of the tables that the address space made for itself fits. */
function* tryAutoDomains(
  idev: IommufdDevice,
  ioas: IommufdIoas,
  change: Change,
): ModelTask<Outcome<Moved> | null> {
  for (const hwpt of [...ioas.hwpts]) {
    if (!hwpt.autoDomain || !iommufdLockObj(hwpt)) continue;
    const left = yield* change(hwpt, idev);
    iommufdPutObject(hwpt);
    if (left.ok) return success({ hwpt, left: left.value });
    // Only -EINVAL says that this table does not fit the device.
    if (left.errno !== Errno.EINVAL) return left;
  }
  return null;
}

function* newAutoDomain(idev: IommufdDevice, ioas: IommufdIoas, change: Change): ModelTask<Outcome<Moved>> {
  const attachNow = change === doAttach;
  const made = yield* iommufdHwptPagingAlloc(idev.ctx, ioas, idev, 0, attachNow, null);
  if (!made.ok) return made;
  const hwpt = made.value;
  const left = attachNow ? success(null) : yield* change(hwpt, idev);
  if (!left.ok) {
    yield* iommufdObjectAbortAndDestroy(idev.ctx, hwpt);
    return left;
  }
  hwpt.autoDomain = true;
  iommufdObjectFinalize(idev.ctx, hwpt);
  return success({ hwpt, left: left.value });
}

function* doAttach(
  hwpt: IommufdHwPagetable,
  idev: IommufdDevice,
): ModelTask<Outcome<IommufdHwPagetable | null>> {
  const error = yield* iommufdHwPagetableAttach(hwpt, idev);
  return error === 0 ? success(null) : failure(-error as Errno);
}

function* doReplace(
  hwpt: IommufdHwPagetable,
  idev: IommufdDevice,
): ModelTask<Outcome<IommufdHwPagetable | null>> {
  const { group } = idev;
  yield* group.lock.lock();
  const left = yield* replaceLocked(hwpt, idev, group);
  group.lock.unlock();
  return left;
}

function* replaceLocked(
  hwpt: IommufdHwPagetable,
  idev: IommufdDevice,
  group: IommufdGroup,
): ModelTask<Outcome<IommufdHwPagetable | null>> {
  const old = group.hwpt;
  if (old === null || !group.attached.has(idev)) return failure(Errno.EINVAL);
  if (old === hwpt) return success(null);
  const to = findHwptPaging(hwpt).ioas;
  const from = findHwptPaging(old).ioas;
  if (to !== from) {
    const reserved = yield* reserveForAll(group, to);
    if (reserved !== 0) return failure(-reserved as Errno);
  }
  const error = attachHardware(hwpt, idev);
  if (to !== from) yield* removeForAll(group, error === 0 ? from : to);
  if (error !== 0) return failure(-error as Errno);
  group.hwpt = hwpt;
  // Every device's reference moves along; the caller gives the last one of the old table back.
  objectUsed(hwpt, group.attached.size);
  if (group.attached.size > 1) objectUnused(old, group.attached.size - 1);
  return success(old);
}

function* reserveForAll(group: IommufdGroup, ioas: IommufdIoas): ModelTask<number> {
  for (const idev of group.attached) {
    const error = yield* ioptTableEnforceDevResvRegions(ioas.iopt, idev, idev.device.reservedRegions);
    if (error === 0) continue;
    yield* removeForAll(group, ioas);
    return error;
  }
  return 0;
}

function* removeForAll(group: IommufdGroup, ioas: IommufdIoas): ModelTask<void> {
  for (const idev of group.attached) yield* ioptRemoveReservedIova(ioas.iopt, idev);
}

function* hwPagetablePut(idev: IommufdDevice, hwpt: IommufdHwPagetable): ModelTask<void> {
  if (hwpt.type === 'hwpt-paging' && hwpt.autoDomain) yield* iommufdObjectPutAndTryDestroy(idev.ctx, hwpt);
  else objectUnused(hwpt);
}
