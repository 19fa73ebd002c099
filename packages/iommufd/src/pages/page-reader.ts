// PageReader: walks over pages and says which frames they are, batch by batch, pinning those that nobody remembers.
// Source followed: struct pfn_reader, pfn_reader_next(), pfn_reader_fill_span() in drivers/iommu/iommufd/pages.c.
// Frames come from an access, else from the page table of a domain, else from the source, which pins them. Device memory
// is always read from its buffer: a page table does not tell what kind of memory it leads to.
// Simplified: no second array of folios for files.

import { InternalError, type ModelTask } from '@sgfree/hw-model';
import { Errno, type PinnedPage } from '@sgfree/mm';
import { type IoptArea, ioptAreaIndexToIova } from '../area/iopt-area.ts';
import { ioptDmaBufRun } from '../dmabuf/iopt-dma-buf.ts';
import { BATCH_ENTRY_BYTES } from '../iommufd-platform.ts';
import type { IoptPages } from './iopt-pages.ts';
import { pinFromSource } from './page-source.ts';
import { pageSpanAt } from './page-span.ts';
import { PfnBatch } from './pfn-batch.ts';

/** Bytes of a page pointer: so many pages are pinned at a time. */
const POINTER_BYTES = 8;

/**
 * A walk over pages `first` to `last`. The pages' mutex is held from the beginning to the end.
 * @internal
 */
export class PageReader {
  readonly batch: PfnBatch;
  /** Pages in the batch: `batchStart` up to and without `batchEnd`. */
  batchStart: number;
  batchEnd: number;
  readonly #pages: IoptPages;
  readonly #first: number;
  readonly #last: number;
  #fresh: PinnedPage[] = [];
  #freshStart = 0;
  /** Pages that this walk pinned. */
  readonly #pinned: number[] = [];

  constructor(pages: IoptPages, first: number, last: number) {
    this.#pages = pages;
    this.#first = first;
    this.#last = last;
    this.batchStart = first;
    this.batchEnd = first;
    this.batch = new PfnBatch(last - first + 1, pages.platform.tempMemoryLimit);
  }

  /** True when the last batch was empty. */
  get done(): boolean {
    return this.batchStart > this.#last;
  }

  /** Reads the next batch; 0 or a negative errno of the source, -ENOMEM. */
  *next(): ModelTask<number> {
    const { batch } = this;
    const bytes = batch.frames.length * BATCH_ENTRY_BYTES;
    if (this.batchEnd === this.#first && !this.#pages.platform.allocate(bytes)) {
      return -Errno.ENOMEM;
    }
    batch.clear();
    this.batchStart = this.batchEnd;
    while (this.batchEnd <= this.#last) {
      const before = batch.total;
      const errno = yield* this.#fill(this.batchEnd);
      if (errno !== 0) return errno;
      this.batchEnd = this.batchStart + batch.total;
      if (batch.total === before) return 0;
    }
    return 0;
  }

  /** Gives back every pin that this walk took. */
  releasePins(): void {
    for (const index of this.#pinned.splice(0)) {
      const pin = this.#pages.pins.get(index);
      if (pin !== undefined) this.#pages.unpin(index, pin.frame);
    }
  }

  *#fill(index: number): ModelTask<number> {
    const { source } = this.#pages;
    if (source.type === 'dmabuf') {
      const { frame, count } = ioptDmaBufRun(source.buffer, index, this.#last - index + 1);
      this.batch.add(frame, count, true);
      return 0;
    }
    const span = pageSpanAt(this.#pages, index, this.#last);
    if (span.holder === 'access') return this.#fromAccess(index, span.last);
    if (span.area !== null) return this.#fromDomain(span.area, index, span.last);
    return yield* this.#fromSource(index, span.last);
  }

  #fromAccess(index: number, last: number): number {
    for (let at = index; at <= last; at += 1) {
      const frame = this.#pages.pinnedPfns.get(at);
      if (frame === undefined) throw new InternalError(`page ${at} is held by an access that lost it`);
      if (!this.batch.add(frame)) break;
    }
    return 0;
  }

  #fromDomain(area: IoptArea, index: number, last: number): number {
    for (let at = index; at <= last; at += 1) if (!this.batch.add(frameInDomain(area, at))) break;
    return 0;
  }

  *#fromSource(index: number, last: number): ModelTask<number> {
    if (index >= this.#freshStart + this.#fresh.length || this.#fresh.length === 0) {
      const errno = yield* this.#pin(index, last);
      if (errno !== 0) return errno;
    }
    for (let at = index - this.#freshStart; at < this.#fresh.length; at += 1) {
      if (!this.batch.add((this.#fresh[at] as PinnedPage).frame)) break;
    }
    return 0;
  }

  *#pin(index: number, last: number): ModelTask<number> {
    const { source, platform, writable } = this.#pages;
    if (source.type === 'dmabuf') throw new InternalError('a dma-buf has no pages to pin');
    const most = Math.max(1, Math.floor(platform.tempMemoryLimit / POINTER_BYTES));
    const fresh: PinnedPage[] = [];
    const count = Math.min(last - index + 1, most);
    const pinned = yield* pinFromSource(source, index, count, writable, fresh);
    if (pinned <= 0) return pinned === 0 ? -Errno.EFAULT : pinned;
    this.#fresh = fresh;
    this.#freshStart = index;
    for (const [at, page] of fresh.entries()) {
      this.#pages.notePin(index + at, page);
      this.#pinned.push(index + at);
    }
    return 0;
  }
}

/** The frame that the storage domain of an area shows for a page. */
function frameInDomain(area: IoptArea, index: number): number {
  const frame = area.storageDomain?.frameAt(ioptAreaIndexToIova(area, index)) ?? -1;
  if (frame < 0) throw new InternalError(`page ${index} is in no page table`);
  return frame;
}
