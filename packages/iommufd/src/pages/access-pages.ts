// Pages that in-kernel users hold: their frames are remembered apart, so that they stay whatever domains do.
// Source followed: iopt_area_add_access(), iopt_area_remove_access(), iopt_pages_fill_xarray(), iopt_pages_unfill_xarray()
// in drivers/iommu/iommufd/pages.c.
// Simplified: none.

import { InternalError, type ModelTask } from '@sgfree/hw-model';
import { updatePinned } from './account-pins.ts';
import type { IoptPages, PagesAccess } from './iopt-pages.ts';
import { PageReader } from './page-reader.ts';
import { pageSpanAt } from './page-span.ts';

/**
 * Remembers the frames of pages `first` to `last`, pinning those that nobody had. 0 or a negative errno of the source or
 * of the accounting, and then nothing is held. With the pages' mutex held.
 */
function* fillPinnedPfns(pages: IoptPages, first: number, last: number): ModelTask<number> {
  return yield* fillPfns(pages, first, last, true);
}

/**
 * The same for as long as bytes are moved, charged to nobody.
 * @internal
 */
export function* readPinnedPfns(pages: IoptPages, first: number, last: number): ModelTask<number> {
  return yield* fillPfns(pages, first, last, false);
}

function* fillPfns(pages: IoptPages, first: number, last: number, charged: boolean): ModelTask<number> {
  const reader = new PageReader(pages, first, last);
  const stored: number[] = [];
  let errno = yield* reader.next();
  while (errno === 0 && !reader.done) {
    storeBatch(pages, reader, stored);
    errno = yield* reader.next();
  }
  if (errno === 0 && charged) errno = updatePinned(pages);
  if (errno !== 0) {
    for (const index of stored) pages.pinnedPfns.delete(index);
    reader.releasePins();
  }
  return errno;
}

function storeBatch(pages: IoptPages, reader: PageReader, stored: number[]): void {
  const { batch } = reader;
  let index = reader.batchStart;
  for (let at = 0; at < batch.end; at += 1) {
    const frame = batch.frames[at] as number;
    for (let page = 0; page < (batch.counts[at] as number); page += 1, index += 1) {
      if (pages.pinnedPfns.has(index)) continue;
      pages.pinnedPfns.set(index, frame + page);
      stored.push(index);
    }
  }
}

/**
 * Forgets the frames of pages `first` to `last` that no access holds any more, and unpins those that no domain shows
 * either. With the pages' mutex held.
 * @internal
 */
export function unfillPinnedPfns(pages: IoptPages, first: number, last: number): void {
  for (let index = first; index <= last; ) {
    const span = pageSpanAt(pages, index, last);
    for (; index <= span.last; index += 1) {
      if (span.holder !== 'access') dropFrame(pages, index, span.holder === 'none');
    }
  }
  updatePinned(pages);
}

function dropFrame(pages: IoptPages, index: number, unpin: boolean): void {
  const frame = pages.pinnedPfns.get(index);
  if (frame === undefined) throw new InternalError(`page ${index} is not held by an access`);
  pages.pinnedPfns.delete(index);
  if (unpin) pages.unpin(index, frame);
}

const exactAccess = (pages: IoptPages, first: number, last: number): PagesAccess | undefined =>
  pages.accesses.find((access) => access.first === first && access.last === last);

/**
 * Holds pages `first` to `last` for one more user and appends their frames. 0 or an errno as {@link fillPinnedPfns}.
 * @internal
 */
export function* addPagesAccess(
  pages: IoptPages,
  first: number,
  last: number,
  frames: number[],
): ModelTask<number> {
  yield* pages.mutex.lock();
  const access = exactAccess(pages, first, last);
  const errno = access === undefined ? yield* fillPinnedPfns(pages, first, last) : 0;
  if (access !== undefined) access.users += 1;
  else if (errno === 0) pages.accesses.push({ first, last, users: 1 });
  for (let index = first; errno === 0 && index <= last; index += 1) {
    frames.push(pages.pinnedPfns.get(index) as number);
  }
  pages.mutex.unlock();
  return errno;
}

/**
 * Takes {@link addPagesAccess} of exactly these pages back; false when there is none.
 * @internal
 */
export function* removePagesAccess(pages: IoptPages, first: number, last: number): ModelTask<boolean> {
  yield* pages.mutex.lock();
  const access = exactAccess(pages, first, last);
  if (access !== undefined) {
    access.users -= 1;
    if (access.users === 0) {
      pages.accesses.splice(pages.accesses.indexOf(access), 1);
      unfillPinnedPfns(pages, first, last);
    }
  }
  pages.mutex.unlock();
  return access !== undefined;
}
