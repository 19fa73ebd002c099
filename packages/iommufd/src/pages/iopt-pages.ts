// IoptPages: a linear array of pages that areas, domains and accesses share; each page is pinned once however many use it.
// Source followed: struct iopt_pages, iopt_alloc_pages(), iopt_release_pages() in drivers/iommu/iommufd/pages.c.
// Where a frame is remembered: by an access (pinned_pfns), else by the page table of an area's storage domain, else
// nowhere: then the page is pinned at its source.
// Simplified: the pins themselves are kept by page index, because a frame number alone does not give a folio back here.

import { InternalError, type ModelTask, PAGE_SIZE, type TaskMutex } from '@sgfree/hw-model';
import { Errno, failure, type Outcome, type PinnedPage, success, unpinUserPage } from '@sgfree/mm';
import type { IoptArea } from '../area/iopt-area.ts';
import type { IommufdPlatform } from '../iommufd-platform.ts';
import type { IommufdProcess, IoptAccountMode } from '../iommufd-process.ts';
import { type U64, U64_PAGES, u64At, u64Compare, u64IsZero, u64Plus, u64SumWraps } from '../u64/u64.ts';
import { type PageSource, releaseSource } from './page-source.ts';

const IOPT_PAGES_BYTES = 232;
/** ULONG_MAX - PAGE_SIZE */
const LONGEST: U64 = u64At(U64_PAGES - 2, PAGE_SIZE - 1);

/**
 * Pages that an access holds, by index, both inclusive.
 * @internal
 */
export interface PagesAccess {
  readonly first: number;
  readonly last: number;
  users: number;
}

/**
 * What pages are made of.
 * @internal
 */
export interface IoptPagesParts {
  readonly source: PageSource;
  /** Offset of the first byte in the first page. */
  readonly startByte: number;
  readonly length: U64;
  readonly writable: boolean;
  readonly process: IommufdProcess;
  readonly accountMode: IoptAccountMode;
}

/**
 * Pages behind areas.
 * @kernel iopt_pages
 * @public
 */
export class IoptPages {
  readonly platform: IommufdPlatform;
  /** @internal */
  readonly source: PageSource;
  readonly npages: number;
  readonly writable: boolean;
  readonly mutex: TaskMutex;
  /** Areas that use them, plus whoever is making one. */
  refs = 1;
  /** Who pays; moved by a change of process. */
  process: IommufdProcess;
  accountMode: IoptAccountMode;
  /** Pages pinned now, and when they were last counted. */
  npinned = 0;
  lastNpinned = 0;
  /** Areas that domains show (`domains_itree`). @internal */
  readonly filledAreas: Set<IoptArea> = new Set();
  /** @internal */
  readonly accesses: PagesAccess[] = [];
  /** Frames that accesses hold (`pinned_pfns`). @internal */
  readonly pinnedPfns: Map<number, number> = new Map();
  /** @internal */
  readonly pins: Map<number, PinnedPage> = new Map();

  /** @internal */
  constructor(platform: IommufdPlatform, npages: number, parts: IoptPagesParts) {
    this.platform = platform;
    this.npages = npages;
    this.source = parts.source;
    this.writable = parts.writable;
    this.process = parts.process;
    this.accountMode = parts.accountMode;
    this.mutex = platform.mutex('iopt_pages');
  }

  /** Notes a page that was pinned at its source. @internal */
  notePin(index: number, page: PinnedPage): void {
    this.pins.set(index, page);
    this.npinned += 1;
  }

  /** Gives the pin of page `index` back, which must be of `frame`. @internal */
  unpin(index: number, frame: number): void {
    const pin = this.pins.get(index);
    if (pin === undefined || pin.frame !== frame) {
      throw new InternalError(`page ${index} is remembered as frame ${frame}, which is not what was pinned`);
    }
    this.pins.delete(index);
    unpinUserPage(pin, this.writable);
    this.npinned -= 1;
  }
}

/**
 * Pages of `length` bytes. -EINVAL for no byte or nearly 2^64 of them, -ENOMEM.
 * @internal
 */
export function ioptAllocPages(platform: IommufdPlatform, parts: IoptPagesParts): Outcome<IoptPages> {
  const { length, startByte } = parts;
  if (u64IsZero(length) || u64Compare(length, LONGEST) > 0) return failure(Errno.EINVAL);
  if (!platform.allocate(IOPT_PAGES_BYTES)) return failure(Errno.ENOMEM);
  const before = u64At(0, startByte);
  const end = u64Plus(length, before);
  const npages = u64SumWraps(length, before) ? U64_PAGES : end.page + (end.byte > 0 ? 1 : 0);
  return success(new IoptPages(platform, npages, parts));
}

/**
 * Gives a reference back; the last one lets the source go.
 * @internal
 */
export function* ioptPutPages(pages: IoptPages): ModelTask<void> {
  pages.refs -= 1;
  if (pages.refs > 0) return;
  if (pages.pins.size > 0 || pages.filledAreas.size > 0) throw new InternalError('pages are released in use');
  yield* releaseSource(pages.source);
}
