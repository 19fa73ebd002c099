// BarMemory: plain memory behind a BAR, e.g. an NVMe controller memory buffer or the video memory of a GPU.
// Source followed: none in particular; what a peer sees through a prefetchable BAR.
// Simplified: sparse, uncached, answers every access inside its size; pages never written read as zero.

import { offsetWithin, PAGE_SIZE } from '../addresses.ts';
import { InternalError } from '../internal-error.ts';
import type { MmioTarget } from '../physical-memory.ts';

/**
 * Real bytes of device memory, as a BAR target.
 * @public
 */
export class BarMemory implements MmioTarget {
  readonly bytes: number;
  readonly #pages = new Map<number, Uint8Array>();

  constructor(bytes: number) {
    this.bytes = bytes;
  }

  mmioRead(offset: number, into: Uint8Array): boolean {
    if (offset < 0 || offset + into.length > this.bytes) return false;
    for (let at = 0; at < into.length; ) {
      const inPage = offsetWithin(offset + at, PAGE_SIZE);
      const count = Math.min(PAGE_SIZE - inPage, into.length - at);
      const page = this.#pages.get(Math.floor((offset + at) / PAGE_SIZE));
      if (page === undefined) into.fill(0, at, at + count);
      else into.set(page.subarray(inPage, inPage + count), at);
      at += count;
    }
    return true;
  }

  mmioWrite(offset: number, from: Uint8Array): boolean {
    if (offset < 0 || offset + from.length > this.bytes) return false;
    for (let at = 0; at < from.length; ) {
      const inPage = offsetWithin(offset + at, PAGE_SIZE);
      const count = Math.min(PAGE_SIZE - inPage, from.length - at);
      this.#page(Math.floor((offset + at) / PAGE_SIZE)).set(from.subarray(at, at + count), inPage);
      at += count;
    }
    return true;
  }

  /** The 4096 bytes of page `index` of this memory, live. */
  pageBytes(index: number): Uint8Array {
    if (!(index >= 0 && (index + 1) * PAGE_SIZE <= this.bytes)) {
      throw new InternalError(`page ${index} is outside this BAR memory`);
    }
    return this.#page(index);
  }

  #page(index: number): Uint8Array {
    let page = this.#pages.get(index);
    if (page === undefined) {
      page = new Uint8Array(PAGE_SIZE);
      this.#pages.set(index, page);
    }
    return page;
  }
}
