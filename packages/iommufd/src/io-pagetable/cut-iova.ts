// Cutting areas in two, which only the old VFIO type 1 interface needs: it may unmap a part of what it mapped.
// Source followed: iopt_cut_iova(), iopt_area_split() in drivers/iommu/iommufd/io_pagetable.c.
// An area is cut only while its pages cannot be part of a larger page-table entry.
// Simplified: none.

import type { ModelTask } from '@sgfree/hw-model';
import { Errno } from '@sgfree/mm';
import { IoptArea, ioptAreaStartByte } from '../area/iopt-area.ts';
import type { IoptPages } from '../pages/iopt-pages.ts';
import { type U64, u64Compare, u64Next, u64Previous, u64Within } from '../u64/u64.ts';
import type { IoPagetable } from './io-pagetable.ts';

const TWO_AREAS_BYTES = 336;

/**
 * Cuts the areas that hold the bytes `lastBytes` behind each of them; where no area is, or ends there, nothing happens, nor
 * behind an area's first byte. 0; in this order -EBUSY (an area that is being made or unmapped), -EOPNOTSUPP (a dma-buf),
 * -EINVAL (not aligned), -ENOMEM, -EINVAL (in use by the kernel, possibly in a large page). What was cut before an error
 * stays cut.
 * @kernel iopt_cut_iova
 * @public
 */
export function* ioptCutIova(iopt: IoPagetable, lastBytes: readonly U64[]): ModelTask<number> {
  yield* iopt.iovaRwsem.writeLock();
  let errno = 0;
  for (const iova of lastBytes) {
    const area = iopt.areas.firstIn({ first: iova, last: iova });
    if (area !== undefined) errno = yield* splitArea(iopt, area, iova);
    if (errno !== 0) break;
  }
  iopt.iovaRwsem.writeUnlock();
  return errno;
}

function* splitArea(iopt: IoPagetable, area: IoptArea, lastByte: U64): ModelTask<number> {
  // Behind the first byte the kernel does not cut either, and says nothing.
  if (u64Compare(lastByte, area.first) === 0 || u64Compare(lastByte, area.last) === 0) return 0;
  const { pages } = area;
  if (pages === null || area.preventAccess) return -Errno.EBUSY;
  if (pages.source.type === 'dmabuf') return -Errno.EOPNOTSUPP;
  const start = u64Next(lastByte);
  const unaligned = [start, ioptAreaStartByte(area, start)].some(
    (value) => u64Within(value, iopt.iovaAlignment) !== 0,
  );
  if (unaligned) return -Errno.EINVAL;
  if (!iopt.platform.allocate(TWO_AREAS_BYTES)) return -Errno.ENOMEM;
  yield* pages.mutex.lock();
  const errno = splitErrno(iopt, area);
  if (errno === 0) replaceByHalves(iopt, area, pages, start);
  pages.mutex.unlock();
  return errno;
}

function splitErrno(iopt: IoPagetable, area: IoptArea): number {
  if (area.numAccesses > 0) return -Errno.EINVAL;
  return area.storageDomain !== null && !iopt.disableLargePages ? -Errno.EINVAL : 0;
}

function replaceByHalves(iopt: IoPagetable, area: IoptArea, pages: IoptPages, start: U64): void {
  iopt.areas.remove(area);
  const filled = pages.filledAreas.delete(area);
  const ranges = [
    { first: area.first, last: u64Previous(start) },
    { first: start, last: area.last },
  ];
  for (const range of ranges) {
    const startByte = ioptAreaStartByte(area, range.first);
    const half = new IoptArea(iopt, { range, startByte, prot: area.prot });
    half.pages = pages;
    half.storageDomain = area.storageDomain;
    iopt.areas.insert(half);
    if (filled) pages.filledAreas.add(half);
  }
  pages.refs += 1;
}
