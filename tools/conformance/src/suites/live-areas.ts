// The areas a recorded run has not unmapped yet, in the order in which its program kept them: a new one goes to the end,
// and where one is taken out the last one moves in.
// Field meanings: vectors/kernel/README.md, record `ptdump` (`live`). Areas whose pages were taken back are still listed.
// Simplified: none.

import { type U64, u64Hex } from '@sgfree/iommufd';

/** Areas as [iova, length]. */
export class LiveAreas {
  readonly #areas: [string, string][] = [];

  /** In the program's order. */
  get areas(): readonly (readonly [string, string])[] {
    return [...this.#areas];
  }

  add(iova: U64, length: U64): void {
    this.#areas.push([u64Hex(iova), u64Hex(length)]);
  }

  /** Takes out the area that starts at `iova`. */
  remove(iova: U64): void {
    const at = this.#areas.findIndex(([start]) => start === u64Hex(iova));
    if (at < 0) return;
    const last = this.#areas.pop();
    if (last !== undefined && at < this.#areas.length) this.#areas[at] = last;
  }
}
