// PagingStructureCache: remembers table pointers of the upper levels, so that a walk can start near the leaf.
// Source followed: VT-d specification 6.2.5 (paging-structure caches) and 6.5.2.3 (invalidation hint).
// It is really stale: a table page that was freed stays reachable until an invalidation without the hint covers it.
// Simplified: one direct-mapped array per level, tagged by domain and by the address bits above the level.

import { entryFrames, type PageWalk } from './walk-format.ts';

const UPPER_LEVELS = 5;

/**
 * Cache of upper-level page-table entries, by level.
 * @public
 */
export class PagingStructureCache {
  readonly entriesPerLevel: number;
  readonly #mask: number;
  readonly #domain: Int32Array;
  readonly #prefix: Float64Array;
  readonly #table: Float64Array;
  readonly #permissions: Uint8Array;
  /** After a hit of {@link PagingStructureCache.find}: where the walk goes on. */
  hitTable = 0;
  hitLevel = 0;
  hitPermissions = 0;

  /** `entriesPerLevel`: a power of two, or 0 for a unit without this cache. */
  constructor(entriesPerLevel: number) {
    this.entriesPerLevel = entriesPerLevel;
    this.#mask = entriesPerLevel - 1;
    const entries = entriesPerLevel * UPPER_LEVELS;
    this.#domain = new Int32Array(entries).fill(-1);
    this.#prefix = new Float64Array(entries);
    this.#table = new Float64Array(entries);
    this.#permissions = new Uint8Array(entries);
  }

  /** Entries held now. */
  get live(): number {
    return this.#domain.reduce((live, domain) => (domain === -1 ? live : live + 1), 0);
  }

  /** Finds the lowest table known for `iovaFrame` below a top table of `topLevel`; true fills the hit fields. */
  find(domain: number, iovaFrame: number, topLevel: number): boolean {
    if (this.entriesPerLevel === 0) return false;
    for (let level = 1; level <= topLevel; level += 1) {
      const prefix = Math.floor(iovaFrame / entryFrames(level));
      const at = this.#slot(level, prefix, domain);
      if (this.#domain[at] !== domain || this.#prefix[at] !== prefix) continue;
      this.hitTable = this.#table[at] as number;
      this.hitLevel = level - 1;
      this.hitPermissions = this.#permissions[at] as number;
      return true;
    }
    return false;
  }

  /** Remembers the tables that a walk passed through below the one it began with. */
  remember(domain: number, iovaFrame: number, walk: PageWalk): void {
    if (this.entriesPerLevel === 0) return;
    for (let level = walk.chainTop; level > walk.level; level -= 1) {
      const table = walk.chainTable[level - 1] as number;
      if (table < 0) continue;
      const prefix = Math.floor(iovaFrame / entryFrames(level));
      const at = this.#slot(level, prefix, domain);
      this.#domain[at] = domain;
      this.#prefix[at] = prefix;
      this.#table[at] = table;
      this.#permissions[at] = walk.chainPermissions[level - 1] as number;
    }
  }

  /** Drops every entry of `domain` whose span meets the pages `firstFrame` to `firstFrame + frames - 1`. */
  invalidatePages(domain: number, firstFrame: number, frames: number): void {
    for (let level = 1; level <= UPPER_LEVELS; level += 1) {
      const first = Math.floor(firstFrame / entryFrames(level));
      const last = Math.floor((firstFrame + frames - 1) / entryFrames(level));
      const start = (level - 1) * this.entriesPerLevel;
      for (let at = start; at < start + this.entriesPerLevel; at += 1) {
        const prefix = this.#prefix[at] as number;
        if (this.#domain[at] === domain && prefix >= first && prefix <= last) this.#domain[at] = -1;
      }
    }
  }

  /** Drops every entry of `domain`. */
  invalidateDomain(domain: number): void {
    for (let at = 0; at < this.#domain.length; at += 1)
      if (this.#domain[at] === domain) this.#domain[at] = -1;
  }

  /** Drops everything. */
  invalidateAll(): void {
    this.#domain.fill(-1);
  }

  // `&` on a double wraps modulo 2^32 first (ToInt32): the low bits that choose the slot stay exact.
  #slot(level: number, prefix: number, domain: number): number {
    return (level - 1) * this.entriesPerLevel + ((prefix + domain * 7) & this.#mask);
  }
}
