// Mapping pages: areas are made without pages, which keeps their IOVAs; then domains are filled; then the pages show.
// Source followed: iopt_map_pages(), iopt_alloc_area_pages(), iopt_insert_area(), iopt_fill_domains_pages() in
// drivers/iommu/iommufd/io_pagetable.c.
// Simplified: none.

import type { ModelTask } from '@sgfree/hw-model';
import { IOMMU_WRITE } from '@sgfree/iommu';
import { Errno, failure, type Outcome, success } from '@sgfree/mm';
import { IoptArea } from '../area/iopt-area.ts';
import { ioptAreaFillDomains } from '../pages/fill-domains.ts';
import { type IoptPages, ioptPutPages } from '../pages/iopt-pages.ts';
import { ioptAreaUnfillDomains } from '../pages/unfill-domains.ts';
import { type U64, u64At, u64IsZero, u64Plus, u64Previous, u64RangeOf, u64Within } from '../u64/u64.ts';
import { ioptAllocIova, ioptCheckIova } from './alloc-iova.ts';
import type { IoPagetable } from './io-pagetable.ts';

const IOPT_AREA_BYTES = 168;

/**
 * A stretch of pages that is to become an area; it holds a reference of the pages (`struct iopt_pages_list`).
 * @public
 */
export interface IoptPagesElement {
  readonly pages: IoptPages;
  /** Position of the first byte within the pages: page index and offset. */
  readonly startByte: U64;
  readonly length: U64;
}

/** Element and the area that was made for it. */
interface NewArea {
  readonly element: IoptPagesElement;
  readonly area: IoptArea;
}

/** Makes the areas, without pages. */
function* allocAreaPages(
  iopt: IoPagetable,
  elements: readonly IoptPagesElement[],
  length: U64,
  iova: U64 | null,
  prot: number,
): ModelTask<Outcome<NewArea[]>> {
  for (let at = 0; at < elements.length; at += 1) {
    if (!iopt.platform.allocate(IOPT_AREA_BYTES)) return failure(Errno.ENOMEM);
  }
  yield* iopt.iovaRwsem.writeLock();
  const start = chooseIova(iopt, elements, length, iova);
  const areas = start.ok ? insertAreas(iopt, elements, start.value, prot) : start;
  iopt.iovaRwsem.writeUnlock();
  return areas;
}

function chooseIova(
  iopt: IoPagetable,
  elements: readonly IoptPagesElement[],
  length: U64,
  iova: U64 | null,
): Outcome<U64> {
  const [first] = elements;
  if (first === undefined || u64IsZero(length) || u64Within(length, iopt.iovaAlignment) !== 0) {
    return failure(Errno.EINVAL);
  }
  if (iova === null) return ioptAllocIova(iopt, u64Plus(first.pages.source.start, first.startByte), length);
  const errno = ioptCheckIova(iopt, iova, length);
  return errno === 0 ? success(iova) : failure(-errno as Errno);
}

function insertAreas(
  iopt: IoPagetable,
  elements: readonly IoptPagesElement[],
  start: U64,
  prot: number,
): Outcome<NewArea[]> {
  const made: NewArea[] = [];
  let iova = start;
  for (const element of elements) {
    const area = insertArea(iopt, element, iova, prot);
    if (!area.ok) {
      for (const { area: before } of made) iopt.areas.remove(before);
      return area;
    }
    made.push({ element, area: area.value });
    iova = u64Plus(iova, element.length);
  }
  return success(made);
}

/** -EPERM, -EINVAL, -EOVERFLOW in this order. */
function insertArea(
  iopt: IoPagetable,
  element: IoptPagesElement,
  iova: U64,
  prot: number,
): Outcome<IoptArea> {
  const { pages, startByte, length } = element;
  if ((prot & IOMMU_WRITE) !== 0 && !pages.writable) return failure(Errno.EPERM);
  if (u64Within(u64At(0, startByte.byte), iopt.iovaAlignment) !== 0) return failure(Errno.EINVAL);
  const range = u64RangeOf(iova, length);
  const last = u64Plus(startByte, u64Previous(length));
  if (range === null || last.page >= pages.npages) return failure(Errno.EOVERFLOW);
  const area = new IoptArea(iopt, { range, startByte, prot });
  iopt.areas.insert(area);
  return success(area);
}

/** Fills every new area into the domains; after a failure none of them is in any. */
function* fillDomainsPages(made: readonly NewArea[]): ModelTask<number> {
  for (const [at, { area, element }] of made.entries()) {
    const errno = yield* ioptAreaFillDomains(area, element.pages);
    if (errno === 0) continue;
    for (const undo of made.slice(0, at)) yield* ioptAreaUnfillDomains(undo.area, undo.element.pages);
    return errno;
  }
  return 0;
}

function* abortAreas(iopt: IoPagetable, made: readonly NewArea[]): ModelTask<void> {
  yield* iopt.iovaRwsem.writeLock();
  for (const { area } of made) iopt.areas.remove(area);
  iopt.iovaRwsem.writeUnlock();
}

/**
 * Maps stretches of pages one behind the other at `iova`, or at an automatic one (null), and gives the IOVA. The references of
 * the elements go over to the areas, or are given back when it fails. In this order: -ENOMEM; -EINVAL (no length, or no
 * multiple of the alignment); errors of the choice of an IOVA; -EPERM (not writable); -EINVAL (offset in the page);
 * errors of filling the domains.
 * @kernel iopt_map_pages
 * @public
 */
export function* ioptMapPages(
  iopt: IoPagetable,
  elements: readonly IoptPagesElement[],
  length: U64,
  iova: U64 | null,
  prot: number,
): ModelTask<Outcome<U64>> {
  yield* iopt.domainsRwsem.readLock();
  const mapped = yield* mapLocked(iopt, elements, length, iova, prot);
  iopt.domainsRwsem.readUnlock();
  if (!mapped.ok) for (const { pages } of elements) yield* ioptPutPages(pages);
  return mapped;
}

function* mapLocked(
  iopt: IoPagetable,
  elements: readonly IoptPagesElement[],
  length: U64,
  iova: U64 | null,
  prot: number,
): ModelTask<Outcome<U64>> {
  const made = yield* allocAreaPages(iopt, elements, length, iova, prot);
  if (!made.ok) return made;
  const errno = yield* fillDomainsPages(made.value);
  if (errno !== 0) {
    yield* abortAreas(iopt, made.value);
    return failure(-errno as Errno);
  }
  yield* iopt.iovaRwsem.writeLock();
  for (const { area, element } of made.value) area.pages = element.pages;
  iopt.iovaRwsem.writeUnlock();
  const [first] = made.value;
  return first === undefined ? failure(Errno.EINVAL) : success(first.area.first);
}
