// Reading and writing by IOVA: an in-kernel user moves bytes without keeping any page.
// Source followed: iommufd_access_rw() in drivers/iommu/iommufd/device.c; iopt_pages_rw_access(), iopt_pages_rw_slow() in
// pages.c.
// Memory of a living process is read and written at the process's own addresses, whatever was pinned before; only where that
// is not possible the page frames are taken for as long as it lasts, and charged to nobody.
// Simplified: the user may always work with the addresses of the process that mapped (a kernel thread).

import { type ModelTask, PAGE_SIZE, physOfFrame } from '@sgfree/hw-model';
import { Errno } from '@sgfree/mm';
import { ProcessPointer } from '../abi/user-memory.ts';
import { ioptAreaStartByte } from '../area/iopt-area.ts';
import { type AreaPart, contiguousAreas, coversRange } from '../io-pagetable/contiguous-areas.ts';
import type { IoPagetable } from '../io-pagetable/io-pagetable.ts';
import { readPinnedPfns, unfillPinnedPfns } from '../pages/access-pages.ts';
import type { IoptPages } from '../pages/iopt-pages.ts';
import { type U64, type U64Range, u64, u64Number, u64Plus, u64RangeOf, u64Span } from '../u64/u64.ts';
import { accessErrno } from './access-pin.ts';
import type { IoptAccess } from './iopt-access.ts';

/**
 * Moves `data.length` bytes between `data` and `iova`. In this order: -EINVAL (no length), -EOVERFLOW, -ENOENT (detached);
 * for each area -EINVAL (being unmapped), -EPERM, -EINVAL (a dma-buf), -EFAULT, -ENOMEM; -ENOENT at a gap: the bytes before
 * it have been moved. No limit of locked memory counts.
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
  const { area, pages } = part;
  if (area.preventAccess) return -Errno.EINVAL;
  const refused = accessErrno(part, write);
  if (refused !== 0) return refused;
  const from = ioptAreaStartByte(area, part.first);
  const { source } = pages;
  if (source.type === 'user' && source.mm.users > 0) {
    const user = new ProcessPointer(source.mm, u64Plus(source.start, from));
    const errno = yield* write ? user.write(0, data) : user.read(0, data);
    return errno === 0 ? 0 : -Errno.EFAULT;
  }
  return yield* moveByFrames(pages, from, ioptAreaStartByte(area, part.last).page, data, write);
}

function* moveByFrames(
  pages: IoptPages,
  from: U64,
  last: number,
  data: Uint8Array,
  write: boolean,
): ModelTask<number> {
  yield* pages.mutex.lock();
  const errno = yield* readPinnedPfns(pages, from.page, last);
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
