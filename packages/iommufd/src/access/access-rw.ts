// Reading and writing by IOVA: an in-kernel user moves bytes without keeping any page.
// Source followed: iommufd_access_rw() in drivers/iommu/iommufd/device.c; iopt_pages_rw_access(), iopt_pages_rw_slow() in
// pages.c.
// Simplified: always by way of the page frames; the short cut through the process's own addresses shows the same bytes.

import { type ModelTask, PAGE_SIZE, physOfFrame } from '@sgfree/hw-model';
import { Errno } from '@sgfree/mm';
import { ioptAreaStartByte } from '../area/iopt-area.ts';
import { type AreaPart, contiguousAreas, coversRange } from '../io-pagetable/contiguous-areas.ts';
import type { IoPagetable } from '../io-pagetable/io-pagetable.ts';
import { fillPinnedPfns, unfillPinnedPfns } from '../pages/access-pages.ts';
import type { IoptPages } from '../pages/iopt-pages.ts';
import { type U64, type U64Range, u64, u64Number, u64RangeOf, u64Span } from '../u64/u64.ts';
import { accessErrno } from './access-pin.ts';
import type { IoptAccess } from './iopt-access.ts';

/**
 * Moves `data.length` bytes between `data` and `iova`. In this order: -EINVAL (no length), -EOVERFLOW, -ENOENT (detached);
 * for each area -EINVAL (being unmapped), -EPERM, -EINVAL (a dma-buf), -EFAULT, -ENOMEM; -ENOENT at a gap: the bytes before
 * it have been moved.
 * @kernel iommufd_access_rw
 * @public
 */
export function* iommufdAccessRw(
  access: IoptAccess,
  iova: U64,
  data: Uint8Array,
  write: boolean,
): ModelTask<number> {
  if (data.length === 0) return -Errno.EINVAL;
  const range = u64RangeOf(iova, u64(data.length));
  if (range === null) return -Errno.EOVERFLOW;
  yield* access.lock.lock();
  const { iopt } = access;
  const errno = iopt === null ? -Errno.ENOENT : yield* moveRange(iopt, range, data, write);
  access.lock.unlock();
  return errno;
}

function* moveRange(iopt: IoPagetable, range: U64Range, data: Uint8Array, write: boolean): ModelTask<number> {
  yield* iopt.iovaRwsem.readLock();
  const parts = contiguousAreas(iopt, range);
  let errno = 0;
  let done = 0;
  for (const part of parts) {
    const bytes = u64Number(u64Span(part));
    errno = yield* movePart(part, data.subarray(done, done + bytes), write);
    if (errno !== 0) break;
    done += bytes;
  }
  if (errno === 0 && !coversRange(parts, range)) errno = -Errno.ENOENT;
  iopt.iovaRwsem.readUnlock();
  return errno;
}

function* movePart(part: AreaPart, data: Uint8Array, write: boolean): ModelTask<number> {
  const { area } = part;
  const { pages } = area;
  if (pages === null || area.preventAccess) return -Errno.EINVAL;
  const refused = accessErrno(area, write);
  if (refused !== 0) return refused;
  const from = ioptAreaStartByte(area, part.first);
  const last = ioptAreaStartByte(area, part.last).page;
  yield* pages.mutex.lock();
  const errno = yield* fillPinnedPfns(pages, from.page, last);
  if (errno === 0) {
    moveBytes(pages, from, data, write);
    unfillPinnedPfns(pages, from.page, last);
  }
  pages.mutex.unlock();
  return errno;
}

function moveBytes(pages: IoptPages, from: U64, data: Uint8Array, write: boolean): void {
  const { memory } = pages.process.mm;
  let { page, byte } = from;
  for (let done = 0; done < data.length; page += 1, byte = 0) {
    const piece = data.subarray(done, done + PAGE_SIZE - byte);
    const at = physOfFrame(pages.pinnedPfns.get(page) as number, byte);
    if (write) memory.write(at, piece);
    else memory.read(at, piece);
    done += piece.length;
  }
}
