// PendingUnmaps: the unmap lines whose owner is not known yet, oldest first.
// Followed: each line waits for the next lines of its own context, so that they are decided in any order.
// Simplified: a list through the lines themselves.

import type { UnmapLine } from './unmap-line.ts';

/** A list of waiting lines. */
export class PendingUnmaps {
  #oldest: UnmapLine | null = null;
  #newest: UnmapLine | null = null;

  /** The one that waits longest. */
  get oldest(): UnmapLine | null {
    return this.#oldest;
  }

  add(unmap: UnmapLine): void {
    unmap.older = this.#newest;
    if (this.#newest === null) this.#oldest = unmap;
    else this.#newest.newer = unmap;
    this.#newest = unmap;
  }

  /** Takes out a line that waits; no other one. */
  remove(unmap: UnmapLine): void {
    if (this.#oldest !== unmap && unmap.older === null) return;
    if (unmap.older === null) this.#oldest = unmap.newer;
    else unmap.older.newer = unmap.newer;
    if (unmap.newer === null) this.#newest = unmap.older;
    else unmap.newer.older = unmap.older;
    unmap.older = null;
    unmap.newer = null;
  }
}
