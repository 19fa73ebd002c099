// GroupsComparison: IOMMU groups of a machine before and after a change: which merge, which fall apart.
// Source followed: the groups that the kernel forms from ACS registers; this file only compares two sets of them.
// A function whose group is unknown in one of them is named apart, and nothing is concluded from it.
// Simplified: none.

import type { DerivedGroup, DerivedGroups, DumpedFunction } from '@sgfree/topology';
import type { Truth } from '../truth.ts';

/**
 * A group that holds functions of several former groups: none of them is apart from the others any more.
 * @beta
 */
export interface GroupMerge {
  readonly after: DerivedGroup;
  readonly from: readonly DerivedGroup[];
}

/**
 * A former group whose functions are in several groups now.
 * @beta
 */
export interface GroupSplit {
  readonly before: DerivedGroup;
  readonly into: readonly DerivedGroup[];
}

/**
 * Two sets of groups of one machine, compared.
 * @beta
 */
export interface GroupsComparison {
  readonly before: DerivedGroups;
  readonly after: DerivedGroups;
  readonly merged: readonly GroupMerge[];
  readonly split: readonly GroupSplit[];
  /** Functions that share a group with others they were apart from. */
  readonly losesIsolation: readonly DumpedFunction[];
  /** Functions whose group is unknown before or after. */
  readonly undecided: readonly DumpedFunction[];
  /** Whether the partition is the same. */
  readonly same: Truth;
}

/**
 * Compares groups of `functions` of one dump.
 * @beta
 */
export function compareGroups(
  functions: readonly DumpedFunction[],
  before: DerivedGroups,
  after: DerivedGroups,
): GroupsComparison {
  const undecided = functions.filter(
    (fn) => before.groupOf(fn) === 'unknown' || after.groupOf(fn) === 'unknown',
  );
  const merged = spread(after.groups, before).map(([group, from]) => ({ after: group, from }));
  const split = spread(before.groups, after).map(([group, into]) => ({ before: group, into }));
  const changed = merged.length > 0 || split.length > 0;
  return {
    before,
    after,
    merged,
    split,
    losesIsolation: merged.flatMap(({ after: { members } }) =>
      members.filter((fn) => typeof before.groupOf(fn) === 'object'),
    ),
    undecided,
    same: changed ? false : undecided.length > 0 ? 'unknown' : true,
  };
}

/** Groups whose members are in several groups of the other set. */
function spread(
  groups: readonly DerivedGroup[],
  others: DerivedGroups,
): (readonly [DerivedGroup, DerivedGroup[]])[] {
  return groups.flatMap((group) => {
    const found = new Set(group.members.map((fn) => others.groupOf(fn)));
    const known = [...found].filter((other) => typeof other === 'object');
    return known.length < 2 ? [] : [[group, known] as const];
  });
}
