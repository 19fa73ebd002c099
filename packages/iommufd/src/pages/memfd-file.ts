// MemfdFile: a file that lives in memory, whose pages a device may use.
// Source followed: mm/memfd.c memfd_pin_folios(), mm/shmem.c (pages come with the first access; truncation takes them).
// Simplified: one page a folio, no seals, no swapping.

import type { ModelFile } from '@sgfree/dma-buf';
import {
  alignUp,
  type ModelTask,
  offsetWithin,
  PAGE_SIZE,
  type PhysicalMemory,
  physOfFrame,
} from '@sgfree/hw-model';
import { Errno, type PageAllocator, type PinnedPage, UserFolio } from '@sgfree/mm';

/**
 * An open memfd. Descriptors are handed out by the machine's file table.
 * @public
 */
export class MemfdFile implements ModelFile {
  refs = 1;
  readonly #memory: PhysicalMemory;
  readonly #pages: PageAllocator;
  readonly #folios = new Map<number, UserFolio>();
  #bytes: number;

  constructor(memory: PhysicalMemory, pages: PageAllocator, bytes: number) {
    this.#memory = memory;
    this.#pages = pages;
    this.#bytes = bytes;
  }

  /** Bytes. */
  get size(): number {
    return this.#bytes;
  }

  /** Sets the size; pages past the end leave the file, those that are pinned stay where they are. */
  truncate(bytes: number): void {
    this.#bytes = bytes;
    const kept = alignUp(bytes, PAGE_SIZE) / PAGE_SIZE;
    for (const [page, folio] of this.#folios) {
      if (page < kept) continue;
      this.#folios.delete(page);
      folio.mapCount -= 1;
      folio.drop();
    }
  }

  /** The frame of a page, brought if it is not there yet; -1 without memory. */
  frameOfPage(page: number): number {
    return this.#folioAt(page)?.frame ?? -1;
  }

  /** Writes `bytes` at a byte offset, as `pwrite` does within the size; false without memory. */
  write(offset: number, bytes: Uint8Array): boolean {
    for (let done = 0; done < bytes.length; ) {
      const within = offsetWithin(offset + done, PAGE_SIZE);
      const piece = bytes.subarray(done, done + PAGE_SIZE - within);
      const frame = this.frameOfPage(Math.floor((offset + done) / PAGE_SIZE));
      if (frame < 0) return false;
      this.#memory.write(physOfFrame(frame, within), piece);
      done += piece.length;
    }
    return true;
  }

  /**
   * Pins `count` pages from page `first` on and appends them. The count; -EINVAL when the last byte of the last page is past
   * the size, also where the size is in the middle of that page; -ENOMEM, then nothing is pinned.
   * @kernel memfd_pin_folios
   */
  pinFolios(first: number, count: number, pages: PinnedPage[]): number {
    if ((first + count) * PAGE_SIZE > this.#bytes) return -Errno.EINVAL;
    const folios: UserFolio[] = [];
    for (let page = first; page < first + count; page += 1) {
      const folio = this.#folioAt(page);
      if (folio === null) return -Errno.ENOMEM;
      folios.push(folio);
    }
    for (const folio of folios) {
      folio.pins += 1;
      pages.push({ frame: folio.frame, folio });
    }
    return count;
  }

  /** The last reference is gone: every page leaves. */
  *release(): ModelTask<void> {
    yield { at: 'memfd:release' };
    this.truncate(0);
  }

  #folioAt(page: number): UserFolio | null {
    const held = this.#folios.get(page);
    if (held !== undefined) return held;
    const frame = this.#pages.allocPages(0);
    if (frame < 0) return null;
    const folio = new UserFolio(frame, 0, this.#pages);
    folio.mapCount = 1;
    this.#folios.set(page, folio);
    return folio;
  }
}
