// Filling domains: putting the pages of an area into page tables, and undoing exactly what was done when that fails.
// Source followed: iopt_area_fill_domains(), iopt_area_fill_domain(), batch_to_domain(), batch_iommu_map_small() in
// drivers/iommu/iommufd/pages.c.
// Runs of frames are mapped as long as they are, so that the table takes its largest pages; with large pages disabled
// each page is mapped by itself.
// Simplified: a copy of areas that meet inside a page has pieces that are no whole pages; without large pages Linux warns and
// goes on past the end of such a piece until the table refuses, here it is refused at once.

import { type ModelTask, PAGE_SIZE } from '@sgfree/hw-model';
import { Errno, warnViolation } from '@sgfree/mm';
import { type IoptArea, ioptAreaBytes, ioptAreaIndexToIova } from '../area/iopt-area.ts';
import { hasWindows, lockToFill, showWindows, unlockFilled } from '../dmabuf/area-windows.ts';
import { ioptDmaBufRevoked, ioptDmaBufTrack, ioptDmaBufUntrack } from '../dmabuf/iopt-dma-buf.ts';
import type { IoptDomain } from '../domain/iopt-domain.ts';
import { type U64, u64, u64Hex, u64Plus } from '../u64/u64.ts';
import { updatePinned } from './account-pins.ts';
import type { IoptPages } from './iopt-pages.ts';
import { PageReader } from './page-reader.ts';
import type { PfnBatch } from './pfn-batch.ts';

/**
 * Fills an area that is being made into every domain of its address space; nothing is pinned when there is none. 0 or a
 * negative errno: of the source, of the accounting (-ENOMEM) or of the driver; then no domain shows anything of it.
 * @internal
 */
export function* ioptAreaFillDomains(area: IoptArea, pages: IoptPages): ModelTask<number> {
  const { domains } = area.iopt;
  if (domains.length === 0) return 0;
  yield* lockToFill(pages);
  for (const domain of domains) ioptDmaBufTrack(pages, area, domain);
  const errno = yield* fill(area, pages, domains);
  if (errno === 0) {
    area.storageDomain = domains[0] ?? null;
    pages.filledAreas.add(area);
  } else {
    for (const domain of domains) ioptDmaBufUntrack(pages, area, domain);
  }
  unlockFilled(pages);
  return errno;
}

/**
 * Fills an area into one more domain, with the pages' mutex held. 0 or a negative errno as above.
 * @internal
 */
export function* ioptAreaFillDomain(area: IoptArea, pages: IoptPages, domain: IoptDomain): ModelTask<number> {
  return yield* fill(area, pages, [domain]);
}

function* fill(area: IoptArea, pages: IoptPages, domains: readonly IoptDomain[]): ModelTask<number> {
  if (ioptDmaBufRevoked(pages)) return 0;
  if (hasWindows(pages)) return yield* showWindows(area, pages, domains);
  const reader = new PageReader(pages, area.firstIndex, area.lastIndex);
  const ends = domains.map(() => area.firstIndex);
  let errno = yield* reader.next();
  while (errno === 0 && !reader.done) {
    errno = mapInAll(reader, area, domains, ends);
    if (errno === 0) errno = yield* reader.next();
  }
  if (errno === 0) errno = updatePinned(pages);
  if (errno === 0) return 0;
  for (const [at, domain] of domains.entries()) unmapUpTo(area, domain, ends[at] as number);
  reader.releasePins();
  return errno;
}

/** Maps the batch in each domain and notes in `ends` how far each has come. */
function mapInAll(
  reader: PageReader,
  area: IoptArea,
  domains: readonly IoptDomain[],
  ends: number[],
): number {
  for (const [at, domain] of domains.entries()) {
    const errno = batchToDomain(reader.batch, domain, area, reader.batchStart);
    if (errno !== 0) return errno;
    ends[at] = reader.batchEnd;
  }
  return 0;
}

function unmapUpTo(area: IoptArea, domain: IoptDomain, end: number): void {
  if (end > area.firstIndex) domain.unmap(area.first, ioptAreaBytes(area, area.firstIndex, end - 1));
}

function batchToDomain(batch: PfnBatch, domain: IoptDomain, area: IoptArea, start: number): number {
  const prot = batch.protFor(area.prot);
  let index = start;
  for (let at = 0; at < batch.end; at += 1) {
    const count = batch.counts[at] as number;
    const errno = mapRun(domain, area, index, batch.frames[at] as number, count, prot);
    if (errno !== 0) {
      if (index > start)
        domain.unmap(ioptAreaIndexToIova(area, start), ioptAreaBytes(area, start, index - 1));
      return errno;
    }
    index += count;
  }
  return 0;
}

function mapRun(
  domain: IoptDomain,
  area: IoptArea,
  index: number,
  frame: number,
  count: number,
  prot: number,
): number {
  const iova = ioptAreaIndexToIova(area, index);
  const bytes = ioptAreaBytes(area, index, index + count - 1);
  const offset = index === area.firstIndex ? area.pageOffset : 0;
  if (area.iopt.disableLargePages) {
    if (isWholePages(iova, bytes)) return mapSmall(domain, iova, frame, bytes, prot);
    warnViolation(area.iopt.platform.log, 'iommufd-map-small-unaligned', { iova: u64Hex(iova), bytes });
    return -Errno.EINVAL;
  }
  return domain.map(iova, frame, offset, bytes, prot);
}

const isWholePages = (iova: U64, bytes: number): boolean =>
  iova.byte === 0 && Math.floor(bytes / PAGE_SIZE) * PAGE_SIZE === bytes;

/** Page by page. */
function mapSmall(domain: IoptDomain, iova: U64, frame: number, bytes: number, prot: number): number {
  for (let done = 0; done < bytes; done += PAGE_SIZE) {
    const errno = domain.map(u64Plus(iova, u64(done)), frame + done / PAGE_SIZE, 0, PAGE_SIZE, prot);
    if (errno === 0) continue;
    if (done > 0) domain.unmap(iova, done);
    return errno;
  }
  return 0;
}
