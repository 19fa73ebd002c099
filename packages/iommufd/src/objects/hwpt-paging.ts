// IommufdHwptPaging: a page table of the hardware that shows an I/O address space.
// Source followed: struct iommufd_hwpt_paging and iommufd_hwpt_paging_alloc, _destroy, _abort in
// drivers/iommu/iommufd/hw_pagetable.c.
// Simplified: cache coherency is the same for every page table of a machine.

import type { ModelTask } from '@sgfree/hw-model';
import { Errno, failure, type Outcome, success } from '@sgfree/mm';
import type { IoptDomain } from '../domain/iopt-domain.ts';
import { ioptTableAddDomain, ioptTableRemoveDomain } from '../io-pagetable/table-domains.ts';
import { type IommufdBoundDevice, IommuHwptAllocFlag, type IommuUserData } from './bound-device.ts';
import type { IommufdFault } from './fault-queue.ts';
import type { IommufdContext } from './iommufd-context.ts';
import type { IommufdDevice } from './iommufd-device.ts';
import { iommufdHwPagetableAttach, iommufdHwPagetableDetach } from './iommufd-group.ts';
import type { IommufdIoas } from './iommufd-ioas.ts';
import { IommufdObject, objectUnused, objectUsed } from './iommufd-object.ts';
import { iommufdObjectAbortAndDestroy, iommufdObjectAlloc } from './object-life.ts';

const KNOWN_FLAGS = 0xf;

/**
 * A page table over an address space.
 * @kernel iommufd_hwpt_paging
 * @public
 */
export class IommufdHwptPaging extends IommufdObject {
  readonly type = 'hwpt-paging';
  readonly ioas: IommufdIoas;
  readonly device: IommufdBoundDevice;
  /** A nested table may be built on it. */
  readonly nestParent: boolean;
  /** Made by attaching a device to the address space; goes away with its last device. */
  autoDomain = false;
  /** Null until the driver has made it. */
  domain: IoptDomain | null = null;
  fault: IommufdFault | null = null;

  constructor(ioas: IommufdIoas, device: IommufdBoundDevice, nestParent: boolean) {
    super();
    this.ioas = ioas;
    this.device = device;
    this.nestParent = nestParent;
    objectUsed(ioas);
  }

  *destroy(): ModelTask<void> {
    const { mutex } = this.ioas;
    yield* mutex.lock();
    const listed = unlist(this);
    mutex.unlock();
    if (listed) yield* this.#leaveTable();
    this.#giveBack();
  }

  /** The mutex of the address space is held. */
  override *abort(): ModelTask<void> {
    if (unlist(this)) yield* this.#leaveTable();
    this.#giveBack();
  }

  *#leaveTable(): ModelTask<void> {
    if (this.domain !== null) yield* ioptTableRemoveDomain(this.ioas.iopt, this.domain);
  }

  #giveBack(): void {
    if (this.domain !== null) this.device.freeDomain(this.domain);
    if (this.fault !== null) objectUnused(this.fault);
    objectUnused(this.ioas);
  }
}

function unlist(hwpt: IommufdHwptPaging): boolean {
  const { hwpts } = hwpt.ioas;
  const at = hwpts.indexOf(hwpt);
  if (at >= 0) hwpts.splice(at, 1);
  return at >= 0;
}

/**
 * A new, still invisible page table over `ioas` for the hardware behind `idev`, filled with its areas; with
 * `attachNow` the device is attached before. The mutex of the address space is held. -EOPNOTSUPP: flags the device does
 * not take; -EADDRINUSE: areas or allowed ranges lie where the table has no room; -EINVAL, -EFAULT, -ENOMEM.
 * @kernel iommufd_hwpt_paging_alloc
 * @public
 */
export function* iommufdHwptPagingAlloc(
  ctx: IommufdContext,
  ioas: IommufdIoas,
  idev: IommufdDevice,
  flags: number,
  attachNow: boolean,
  data: IommuUserData | null,
): ModelTask<Outcome<IommufdHwptPaging>> {
  const { device } = idev;
  if (!flagsTaken(device, flags)) return failure(Errno.EOPNOTSUPP);
  const made = iommufdObjectAlloc(
    ctx,
    new IommufdHwptPaging(ioas, device, (flags & IommuHwptAllocFlag.NEST_PARENT) !== 0),
  );
  if (!made.ok) {
    objectUnused(ioas);
    return made;
  }
  const hwpt = made.value;
  const error = yield* fillHwpt(hwpt, idev, flags & ~IommuHwptAllocFlag.FAULT_ID_VALID, attachNow, data);
  if (error === 0) return success(hwpt);
  yield* iommufdObjectAbortAndDestroy(ctx, hwpt);
  return failure(-error as Errno);
}

function flagsTaken(device: IommufdBoundDevice, flags: number): boolean {
  const { DIRTY_TRACKING, FAULT_ID_VALID, NEST_PARENT } = IommuHwptAllocFlag;
  if ((flags & ~KNOWN_FLAGS) !== 0) return false;
  if ((flags & DIRTY_TRACKING) !== 0 && !device.dirtyTracking) return false;
  return (flags & FAULT_ID_VALID) === 0 || (flags & NEST_PARENT) === 0;
}

function* fillHwpt(
  hwpt: IommufdHwptPaging,
  idev: IommufdDevice,
  flags: number,
  attachNow: boolean,
  data: IommuUserData | null,
): ModelTask<number> {
  const domain = yield* idev.device.allocPagingDomain(flags, data);
  if (!domain.ok) return -domain.errno;
  hwpt.domain = domain.value;
  if (attachNow) {
    const error = yield* iommufdHwPagetableAttach(hwpt, idev);
    if (error !== 0) return error;
  }
  const error = yield* ioptTableAddDomain(hwpt.ioas.iopt, domain.value);
  if (error === 0) hwpt.ioas.hwpts.push(hwpt);
  else if (attachNow) {
    const left = yield* iommufdHwPagetableDetach(idev);
    if (left !== null) objectUnused(left);
  }
  return error;
}
