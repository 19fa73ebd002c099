// GroupWords: IOMMU groups as text: the number the kernel would give, and who shares.
// Source followed: pci_device_group of the kernel, as modelled in the package topology.
// Simplified: long groups show their first members.

import type { DerivedGroup, DumpedFunction } from '@sgfree/topology';
import type { Judge } from './p2p-case.ts';

const MOST_MEMBERS = 8;

/** Why a group may not be known. */
export const HIDDEN = 'the dump does not show enough (lspci -nnvvvxxxx as root does)';

/** The number of a function's group: `12`, `?` where the dump does not tell it, `-` without one. */
export function groupText(judge: Judge, fn: DumpedFunction): string {
  const group = judge.groups.groupOf(fn);
  if (group === 'none') return '-';
  return group === 'unknown' || group.number === 'unknown' ? '?' : String(group.number);
}

/** Members of a group, and those that may belong to it. */
export function membersText({ members, mayAlsoHold }: DerivedGroup): string {
  const shown = members.slice(0, MOST_MEMBERS).map(({ name }) => name);
  const more = members.length - shown.length;
  const maybe = mayAlsoHold.length === 0 ? '' : ` (perhaps also ${mayAlsoHold.length} more)`;
  return `${shown.join(', ')}${more > 0 ? ` and ${more} more` : ''}${maybe}`;
}

/** A function's group in words. */
export function groupWords(judge: Judge, fn: DumpedFunction): string {
  const group = judge.groups.groupOf(fn);
  const shown = fn.iommuGroup === undefined ? '' : ` (the dump says group ${fn.iommuGroup})`;
  if (group === 'none') return `none${shown}`;
  if (group === 'unknown') return `not known: ${HIDDEN}${shown}`;
  const number = group.number === 'unknown' ? 'a group' : `group ${group.number}`;
  return `${number}: ${membersText(group)}${shown}`;
}
