// GroupChangeText: how IOMMU groups differ before and after a change.
// Source followed: pci_device_group of the kernel, as modelled in the package topology.
// Simplified: the first groups and members are shown.

import type { GroupsComparison } from '@sgfree/p2p';
import { HIDDEN, membersText } from './group-words.ts';

const MOST_LINES = 24;

/** Groups that merge or fall apart, and functions of which it is not known. */
export function groupLines({ merged, split, undecided, same }: GroupsComparison): string[] {
  if (same === true) return ['IOMMU groups stay as they are'];
  const lines = [
    ...merged.flatMap(({ from, after }) => [
      `IOMMU groups: ${from.length} become one`,
      ...from.map((group) => `  before: ${membersText(group)}`),
      `  after:  ${membersText(after)}`,
    ]),
    ...split.flatMap(({ before, into }) => [
      `IOMMU groups: one becomes ${into.length}`,
      `  before: ${membersText(before)}`,
      ...into.map((group) => `  after:  ${membersText(group)}`),
    ]),
  ];
  const shown =
    lines.length <= MOST_LINES
      ? lines
      : [...lines.slice(0, MOST_LINES), `and ${lines.length - MOST_LINES} lines more (--json has all)`];
  if (undecided.length === 0) return shown;
  return [...shown, `IOMMU groups: not known for ${undecided.length} functions: ${HIDDEN}`];
}
