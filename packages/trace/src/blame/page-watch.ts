// PageWatch: things that wait at a page until something is mapped or unmapped there.
// Source followed: none.
// Simplified: the pages are one sorted list; few wait at a time, and many ranges are asked about.

import { pageStart } from './mapping-sighting.ts';

/**
 * Waiting things by page.
 * @internal
 */
export class PageWatch<T> {
  readonly #byPage = new Map<number, T[]>();
  /** Pages with something, in order. */
  readonly #pages: number[] = [];

  get empty(): boolean {
    return this.#pages.length === 0;
  }

  add(address: number, one: T): void {
    const page = pageStart(address);
    const there = this.#byPage.get(page);
    if (there !== undefined) {
      there.push(one);
      return;
    }
    this.#byPage.set(page, [one]);
    this.#pages.splice(this.#placeOf(page), 0, page);
  }

  /** Takes out everything that waits in a page of [start, end). */
  taken(start: number, end: number): T[] {
    if (this.empty) return [];
    const first = this.#placeOf(pageStart(start));
    const past = this.#placeOf(end);
    if (first >= past) return [];
    const taken: T[] = [];
    for (const page of this.#pages.splice(first, past - first)) {
      taken.push(...(this.#byPage.get(page) ?? []));
      this.#byPage.delete(page);
    }
    return taken;
  }

  /** How many pages lie below. */
  #placeOf(page: number): number {
    const pages = this.#pages;
    let low = 0;
    let high = pages.length;
    while (low < high) {
      const middle = (low + high) >>> 1;
      if ((pages[middle] as number) < page) low = middle + 1;
      else high = middle;
    }
    return low;
  }
}
