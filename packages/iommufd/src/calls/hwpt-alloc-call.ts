// Making a page table by hand: over an address space, or nested on one that was made to be a parent.
// Source followed: iommufd_hwpt_alloc in drivers/iommu/iommufd/hw_pagetable.c.
// Simplified: no vIOMMU that a nested table could belong to.

import type { ModelTask } from '@sgfree/hw-model';
import { Errno, failure, type Outcome, success } from '@sgfree/mm';
import { IommuHwptAllocFlag, type IommuUserData } from '../objects/bound-device.ts';
import { type IommufdHwPagetable, iommufdHwptNestedAlloc } from '../objects/hwpt-nested.ts';
import { IommufdHwptPaging, iommufdHwptPagingAlloc } from '../objects/hwpt-paging.ts';
import type { IommufdContext } from '../objects/iommufd-context.ts';
import type { IommufdDevice } from '../objects/iommufd-device.ts';
import { IommufdIoas } from '../objects/iommufd-ioas.ts';
import { type IommufdObject, objectUsed } from '../objects/iommufd-object.ts';
import { iommufdGetDevice, iommufdGetFault } from '../objects/lookup.ts';
import {
  iommufdGetObject,
  iommufdObjectAbortAndDestroy,
  iommufdObjectFinalize,
  iommufdPutObject,
} from '../objects/object-life.ts';
import { type IommufdAnswer, noAnswer } from './answer.ts';

/**
 * A page table to make.
 * @public
 */
export interface IommufdHwptAllocation {
  /** Of {@link IommuHwptAllocFlag}. */
  readonly flags: number;
  readonly devId: number;
  /** An address space, or a page table that was made with NEST_PARENT. */
  readonly ptId: number;
  /** Driver data; its type is 0 and its length 0 where there is none. */
  readonly data: IommuUserData;
  /** With FAULT_ID_VALID the queue of page requests. */
  readonly faultId: number;
}

/**
 * Makes a page table; its number. -EINVAL (a data type without data or the other way round), -ENOENT (device), -EINVAL (what
 * it stands on is unknown or no such object), -EOPNOTSUPP (flags), then the driver's errors and those of filling it, -ENOENT
 * (queue), what `answer` says.
 * @kernel iommufd_hwpt_alloc
 * @public
 */
export function* iommufdHwptAlloc(
  ctx: IommufdContext,
  call: IommufdHwptAllocation,
  answer: IommufdAnswer = noAnswer,
): ModelTask<Outcome<number>> {
  if ((call.data.type === 0) !== (call.data.length === 0)) return failure(Errno.EINVAL);
  const idev = iommufdGetDevice(ctx, call.devId);
  if (!idev.ok) return idev;
  const made = yield* allocFor(ctx, idev.value, call, answer);
  iommufdPutObject(idev.value);
  return made;
}

function* allocFor(
  ctx: IommufdContext,
  idev: IommufdDevice,
  call: IommufdHwptAllocation,
  answer: IommufdAnswer,
): ModelTask<Outcome<number>> {
  const pt = iommufdGetObject(ctx, call.ptId, 'any');
  // Unlike everywhere else, an unknown number is an invalid argument here.
  if (!pt.ok) return failure(Errno.EINVAL);
  const ioas = pt.value instanceof IommufdIoas ? pt.value : null;
  if (ioas !== null) yield* ioas.mutex.lock();
  const hwpt = yield* allocOn(ctx, pt.value, idev, call);
  const made = hwpt.ok ? yield* publish(ctx, hwpt.value, call, answer) : hwpt;
  if (ioas !== null) ioas.mutex.unlock();
  iommufdPutObject(pt.value);
  return made;
}

function* allocOn(
  ctx: IommufdContext,
  pt: IommufdObject,
  idev: IommufdDevice,
  { flags, data }: IommufdHwptAllocation,
): ModelTask<Outcome<IommufdHwPagetable>> {
  if (pt instanceof IommufdIoas) {
    return yield* iommufdHwptPagingAlloc(ctx, pt, idev, flags, false, data.length === 0 ? null : data);
  }
  if (pt instanceof IommufdHwptPaging) return yield* iommufdHwptNestedAlloc(ctx, pt, idev, flags, data);
  return failure(Errno.EINVAL);
}

function* publish(
  ctx: IommufdContext,
  hwpt: IommufdHwPagetable,
  { flags, faultId }: IommufdHwptAllocation,
  answer: IommufdAnswer,
): ModelTask<Outcome<number>> {
  const wantsFault = (flags & IommuHwptAllocFlag.FAULT_ID_VALID) !== 0;
  const error = (wantsFault ? useFault(ctx, hwpt, faultId) : 0) || (yield* answer(hwpt.id));
  if (error !== 0) {
    yield* iommufdObjectAbortAndDestroy(ctx, hwpt);
    return failure(-error as Errno);
  }
  iommufdObjectFinalize(ctx, hwpt);
  return success(hwpt.id);
}

function useFault(ctx: IommufdContext, hwpt: IommufdHwPagetable, faultId: number): number {
  const fault = iommufdGetFault(ctx, faultId);
  if (!fault.ok) return -fault.errno;
  hwpt.fault = fault.value;
  objectUsed(fault.value);
  iommufdPutObject(fault.value);
  return 0;
}
