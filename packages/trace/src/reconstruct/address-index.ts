// AddressIndex: what lies at which DMA address. Equal addresses in different domains are normal, so each page has a
// chain of the entries that begin in it, the newest first.
// Simplified: a range that is looked for inside entries is searched page by page, as far as the largest entry reaches;
// the few very large entries are searched one by one.

import { PageMap } from './page-map.ts';

/** An entry: its place and its chain. */
export interface Addressed<T> {
  readonly start: number;
  /** First address behind it. */
  readonly end: number;
  /** Next entry that begins in the same page. */
  chained: T | null;
}

const PAGE = 4096;
const LARGE_BYTES = 1024 * PAGE;

/** A multimap from first address to entries. */
export class AddressIndex<T extends Addressed<T>> {
  readonly #chains: PageMap<T> = new PageMap<T>();
  readonly #large = new Set<T>();
  #longest = 0;
  #count = 0;

  /** Entries held. */
  get size(): number {
    return this.#count;
  }

  /** The newest entry that begins in the page of an address; the others follow by `chained`. */
  at(address: number): T | null {
    return this.#chains.get(Math.floor(address / PAGE));
  }

  add(entry: T): void {
    const page = Math.floor(entry.start / PAGE);
    entry.chained = this.#chains.get(page);
    this.#chains.set(page, entry);
    this.#count += 1;
    const bytes = entry.end - entry.start;
    if (bytes > LARGE_BYTES) this.#large.add(entry);
    else if (bytes > this.#longest) this.#longest = bytes;
  }

  /** Takes out an entry that is in the index. */
  remove(entry: T): void {
    const page = Math.floor(entry.start / PAGE);
    const first = this.#chains.get(page);
    if (first === entry) {
      if (entry.chained === null) this.#chains.delete(page);
      else this.#chains.set(page, entry.chained);
    } else {
      let before = first;
      while (before !== null && before.chained !== entry) before = before.chained;
      if (before === null) return;
      before.chained = entry.chained;
    }
    this.#count -= 1;
    if (entry.end - entry.start > LARGE_BYTES) this.#large.delete(entry);
    entry.chained = null;
  }

  /** An entry that contains an address and is accepted; the nearest beginning comes first. */
  containing(address: number, accept: (entry: T) => boolean): T | null {
    const page = Math.floor(address / PAGE);
    const lowest = page - Math.ceil(this.#longest / PAGE);
    for (let at = page; at >= lowest; at -= 1) {
      for (let entry = this.#chains.get(at); entry !== null; entry = entry.chained) {
        if (entry.start <= address && entry.end > address && accept(entry)) return entry;
      }
    }
    for (const entry of this.#large) {
      if (entry.start <= address && entry.end > address && accept(entry)) return entry;
    }
    return null;
  }

  /** The lowest beginning of an accepted entry at or above `from` and below `to`; -1 when there is none. */
  nextStart(from: number, to: number, accept: (entry: T) => boolean): number {
    if (Math.ceil((to - from) / PAGE) > this.#chains.size) {
      return lowestStart(this, from, to, accept);
    }
    for (let page = Math.floor(from / PAGE); page * PAGE < to; page += 1) {
      const first = this.#chains.get(page);
      const lowest = first === null ? -1 : lowestStart(chainOf(first), from, to, accept);
      if (lowest >= 0) return lowest;
    }
    return -1;
  }

  /** Every entry, in no order. */
  *[Symbol.iterator](): Generator<T> {
    for (const first of this.#chains.values()) yield* chainOf(first);
  }
}

function* chainOf<T extends Addressed<T>>(first: T): Generator<T> {
  for (let entry: T | null = first; entry !== null; entry = entry.chained) yield entry;
}

function lowestStart<T extends Addressed<T>>(
  entries: Iterable<T>,
  from: number,
  to: number,
  accept: (entry: T) => boolean,
): number {
  let lowest = -1;
  for (const entry of entries) {
    const { start } = entry;
    if (start >= from && start < to && (lowest < 0 || start < lowest) && accept(entry)) lowest = start;
  }
  return lowest;
}
