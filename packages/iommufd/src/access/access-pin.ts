// Pinning by IOVA: an in-kernel user takes the page frames behind a range and gives exactly that range back.
// Source followed: iommufd_access_pin_pages(), iommufd_access_unpin_pages() in drivers/iommu/iommufd/device.c.
// Simplified: none.

import { type ModelTask, PAGE_SIZE } from '@sgfree/hw-model';
import { IOMMU_READ, IOMMU_WRITE } from '@sgfree/iommu';
import { Errno, failure, type Outcome, success, warnViolation } from '@sgfree/mm';
import { ioptAreaStartByte } from '../area/iopt-area.ts';
import { type AreaPart, contiguousAreas, coversRange } from '../io-pagetable/contiguous-areas.ts';
import type { IoPagetable } from '../io-pagetable/io-pagetable.ts';
import { addPagesAccess, removePagesAccess } from '../pages/access-pages.ts';
import { type U64, type U64Range, u64Compare, u64Hex, u64IsZero, u64RangeOf } from '../u64/u64.ts';
import type { IoptAccess } from './iopt-access.ts';

/**
 * Pins the pages behind `length` bytes at `iova` and gives their frames. In this order: -EINVAL (a user that cannot pin: a
 * violation; no length), -EOVERFLOW, -ENOENT (detached); for each area -EINVAL (being unmapped; a byte in the middle of a
 * page), -EPERM, -EINVAL (a dma-buf), -EFAULT, -ENOMEM; -ENOENT at a gap. Then nothing is pinned.
 * @kernel iommufd_access_pin_pages
 * @public
 */
export function* iommufdAccessPinPages(
  access: IoptAccess,
  iova: U64,
  length: U64,
  write: boolean,
): ModelTask<Outcome<number[]>> {
  if (!access.ops.needsPinPages || access.ops.unmap === undefined) return cannotPin(access);
  if (u64IsZero(length)) return failure(Errno.EINVAL);
  const range = u64RangeOf(iova, length);
  if (range === null) return failure(Errno.EOVERFLOW);
  yield* access.lock.lock();
  const { iopt } = access;
  const frames = iopt === null ? failure(Errno.ENOENT) : yield* pinRange(iopt, access, range, write);
  access.lock.unlock();
  return frames;
}

function cannotPin(access: IoptAccess): Outcome<number[]> {
  const { iopt } = access;
  if (iopt !== null) warnViolation(iopt.platform.log, 'iommufd-access-cannot-pin', {});
  return failure(Errno.EINVAL);
}

function* pinRange(
  iopt: IoPagetable,
  access: IoptAccess,
  range: U64Range,
  write: boolean,
): ModelTask<Outcome<number[]>> {
  yield* iopt.iovaRwsem.readLock();
  const parts = contiguousAreas(iopt, range);
  const frames: number[] = [];
  const done: AreaPart[] = [];
  let errno = 0;
  for (const part of parts) {
    errno = yield* pinPart(part, range, access.internal, write, frames);
    if (errno !== 0) break;
    done.push(part);
  }
  if (errno === 0 && !coversRange(parts, range)) errno = -Errno.ENOENT;
  if (errno !== 0) for (const part of done) yield* unpinPart(part, access.internal);
  iopt.iovaRwsem.readUnlock();
  return errno === 0 ? success(frames) : failure(-errno as Errno);
}

const firstIndexOf = (part: AreaPart): number => ioptAreaStartByte(part.area, part.first).page;
const lastIndexOf = (part: AreaPart): number => ioptAreaStartByte(part.area, part.last).page;

/** Pages must not be shared by two areas: a part starts at a page, and ends with one unless it is the last. */
function isAligned(part: AreaPart, range: U64Range): boolean {
  if (ioptAreaStartByte(part.area, part.first).byte !== 0) return false;
  const isLast = u64Compare(part.last, range.last) === 0;
  return isLast || ioptAreaStartByte(part.area, part.last).byte === PAGE_SIZE - 1;
}

/**
 * 0, or -EPERM when an area or its pages do not allow the access, -EINVAL for a dma-buf.
 * @internal
 */
export function accessErrno({ area, pages }: AreaPart, write: boolean): number {
  if ((area.prot & (write ? IOMMU_WRITE : IOMMU_READ)) === 0) return -Errno.EPERM;
  if (write && !pages.writable) return -Errno.EPERM;
  return pages.source.type === 'dmabuf' ? -Errno.EINVAL : 0;
}

function* pinPart(
  part: AreaPart,
  range: U64Range,
  internal: boolean,
  write: boolean,
  frames: number[],
): ModelTask<number> {
  const { area, pages } = part;
  if (area.preventAccess || !isAligned(part, range)) return -Errno.EINVAL;
  const refused = accessErrno(part, write);
  if (refused !== 0) return refused;
  const errno = yield* addPagesAccess(pages, firstIndexOf(part), lastIndexOf(part), frames);
  if (errno !== 0) return errno;
  area.numAccesses += 1;
  if (internal) area.numLocks += 1;
  return 0;
}

function* unpinPart(part: AreaPart, internal: boolean): ModelTask<boolean> {
  const { area, pages } = part;
  const removed = yield* removePagesAccess(pages, firstIndexOf(part), lastIndexOf(part));
  if (!removed) return false;
  area.numAccesses -= 1;
  if (internal) area.numLocks -= 1;
  return true;
}

/**
 * Gives back what was pinned with the same `iova` and `length`; anything else is a violation.
 * @kernel iommufd_access_unpin_pages
 * @public
 */
export function* iommufdAccessUnpinPages(access: IoptAccess, iova: U64, length: U64): ModelTask<void> {
  const range = u64IsZero(length) ? null : u64RangeOf(iova, length);
  yield* access.lock.lock();
  const iopt = access.ioptUnpin;
  if (iopt !== null) {
    yield* iopt.iovaRwsem.readLock();
    const parts = range === null ? [] : contiguousAreas(iopt, range);
    let known = range !== null && coversRange(parts, range);
    for (const part of parts) known = (yield* unpinPart(part, access.internal)) && known;
    if (!known) warnViolation(iopt.platform.log, 'iommufd-unpin-unknown', { iova: u64Hex(iova) });
    iopt.iovaRwsem.readUnlock();
  }
  access.lock.unlock();
}
