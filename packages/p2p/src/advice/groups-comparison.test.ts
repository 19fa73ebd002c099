import type { DerivedGroups, DumpedFunction } from '@sgfree/topology';
import { readTopologyText } from '@sgfree/topology';
import { expect, test } from 'vitest';
import { compareGroups } from './groups-comparison.ts';

const { functions } = readTopologyText(
  '00:00.0 Host bridge: Invented\n00:01.0 Ethernet controller: Invented\n',
);
const all = (answer: 'none' | 'unknown'): DerivedGroups => ({ groups: [], groupOf: () => answer });

test('groups that are unknown on one side are not called the same', () => {
  const undecided = (one: DerivedGroups, other: DerivedGroups): readonly DumpedFunction[] => {
    const compared = compareGroups(functions, one, other);
    expect(compared).toMatchObject({ same: 'unknown', merged: [], split: [] });
    return compared.undecided;
  };
  expect(undecided(all('unknown'), all('none'))).toEqual(functions);
  expect(undecided(all('none'), all('unknown'))).toEqual(functions);
  expect(functions).toHaveLength(2);
  expect(compareGroups(functions, all('none'), all('none')).same).toBe(true);
});
