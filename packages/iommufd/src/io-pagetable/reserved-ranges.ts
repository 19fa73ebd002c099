// ReservedRanges: IOVAs that no area may use, each range with the one who asked for it; they may overlap.
// Source followed: struct iopt_reserved and the reserved_itree of struct io_pagetable.
// Simplified: the union of the ranges is computed anew after each change.

import { type U64Range, u64Compare, u64Max, u64Next, u64Overlap } from '../u64/u64.ts';

interface ReservedRange extends U64Range {
  readonly owner: object | null;
}

/**
 * The reserved ranges of an I/O address space.
 * @public
 */
export class ReservedRanges {
  readonly #ranges: ReservedRange[] = [];
  #union: readonly U64Range[] | null = null;

  /** Ranges reserved, overlapping ones counted each. */
  get count(): number {
    return this.#ranges.length;
  }

  /** Reserves a range for `owner`; null = for nobody in particular. */
  add(range: U64Range, owner: object | null): void {
    this.#ranges.push({ first: range.first, last: range.last, owner });
    this.#union = null;
  }

  /** Gives up all that `owner` reserved. */
  removeOwner(owner: object): void {
    for (let at = this.#ranges.length - 1; at >= 0; at -= 1) {
      if (this.#ranges[at]?.owner === owner) this.#ranges.splice(at, 1);
    }
    this.#union = null;
  }

  /** True when a reserved range shares an IOVA with `range`. */
  intersects(range: U64Range): boolean {
    return this.#ranges.some((reserved) => u64Overlap(reserved, range));
  }

  /** What is reserved, ascending, without overlaps. */
  get union(): readonly U64Range[] {
    this.#union ??= coalesced(this.#ranges);
    return this.#union;
  }
}

/**
 * The same numbers as ascending ranges that neither overlap nor touch.
 * @internal
 */
export function coalesced(ranges: readonly U64Range[]): U64Range[] {
  const sorted = [...ranges].sort((a, b) => u64Compare(a.first, b.first));
  const union: U64Range[] = [];
  for (const { first, last } of sorted) {
    const before = union.at(-1);
    if (before !== undefined && touches(before, first)) {
      union[union.length - 1] = { first: before.first, last: u64Max(before.last, last) };
    } else {
      union.push({ first, last });
    }
  }
  return union;
}

/** True when `first` lies in the range or right behind it. */
function touches(range: U64Range, first: U64Range['first']): boolean {
  if (u64Compare(first, range.last) <= 0) return true;
  return u64Compare(first, u64Next(range.last)) === 0;
}
