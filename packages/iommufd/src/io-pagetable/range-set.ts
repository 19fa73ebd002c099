// RangeSet: ranges of 64-bit numbers that do not overlap, in ascending order; and the holes that sets leave.
// Source followed: the interval trees of struct io_pagetable and interval_tree_for_each_span() of iommufd.
// Simplified: a sorted array with binary search instead of a red-black tree.

import { InternalError } from '@sgfree/hw-model';
import { type U64, type U64Range, u64Compare, u64Next, u64Previous } from '../u64/u64.ts';

/** Index of the first range that does not end before `at`. */
function firstReaching(ranges: readonly U64Range[], at: U64): number {
  let low = 0;
  let high = ranges.length;
  while (low < high) {
    const middle = (low + high) >>> 1;
    if (u64Compare((ranges[middle] as U64Range).last, at) < 0) low = middle + 1;
    else high = middle;
  }
  return low;
}

/**
 * Ranges that do not overlap.
 * @public
 */
export class RangeSet<R extends U64Range> {
  #ranges: R[] = [];

  /** All ranges, ascending. */
  get ranges(): readonly R[] {
    return this.#ranges;
  }

  /** The lowest range that shares a number with `within`, or undefined. */
  firstIn(within: U64Range): R | undefined {
    const found = this.#ranges[firstReaching(this.#ranges, within.first)];
    return found !== undefined && u64Compare(found.first, within.last) <= 0 ? found : undefined;
  }

  /** Adds a range; throws {@link @sgfree/hw-model#InternalError} when it overlaps another. */
  insert(range: R): void {
    if (this.firstIn(range) !== undefined) throw new InternalError('ranges overlap');
    this.#ranges.splice(firstReaching(this.#ranges, range.first), 0, range);
  }

  /** Takes a range out; throws {@link @sgfree/hw-model#InternalError} when it is not there. */
  remove(range: R): void {
    const at = firstReaching(this.#ranges, range.first);
    if (this.#ranges[at] !== range) throw new InternalError('the range is not in the set');
    this.#ranges.splice(at, 1);
  }

  /** Takes over all ranges of another set. */
  replaceBy(other: RangeSet<R>): void {
    this.#ranges = [...other.ranges];
  }
}

/**
 * The ascending ranges within `within` that no range of any of the `sets` covers; each set ascending and without overlaps.
 * @internal
 */
export function* holesIn(
  within: U64Range,
  sets: readonly (readonly U64Range[])[],
): Generator<U64Range, void, void> {
  const at = sets.map((set) => firstReaching(set, within.first));
  let cursor = within.first;
  for (;;) {
    const lowest = lowestOf(sets, at);
    const used = lowest < 0 ? undefined : sets[lowest]?.[at[lowest] as number];
    if (used === undefined || u64Compare(used.first, within.last) > 0) {
      yield { first: cursor, last: within.last };
      return;
    }
    if (u64Compare(used.first, cursor) > 0) yield { first: cursor, last: u64Previous(used.first) };
    if (u64Compare(used.last, within.last) >= 0) return;
    if (u64Compare(used.last, cursor) >= 0) cursor = u64Next(used.last);
    at[lowest] = (at[lowest] as number) + 1;
  }
}

/** Which set's current range starts lowest; -1 when all sets are at their end. */
function lowestOf(sets: readonly (readonly U64Range[])[], at: readonly number[]): number {
  let lowest = -1;
  let first: U64 | null = null;
  for (const [index, set] of sets.entries()) {
    const range = set[at[index] as number];
    if (range === undefined || (first !== null && u64Compare(range.first, first) >= 0)) continue;
    lowest = index;
    first = range.first;
  }
  return lowest;
}
