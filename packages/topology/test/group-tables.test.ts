// IOMMU groups of machines that are easy to get wrong, each with the partition that the rules of the kernel give.
// The answers were worked out from the rules (isolation by port type and register, aliases on the way up, the walk up to
// the first isolated path, functions of one slot) before the code was asked. Keys stay when cases are added.

import { describe, expect, test } from 'vitest';
import { deriveIommuGroups, type GroupOptions, readTopologyText } from '../src/index.ts';
import { configText, type MachinePlan } from './config-machine.ts';
import { aliases, trees, virtuals } from './groups/alias-cases.ts';
import { bridges, integrated, tables } from './groups/exception-cases.ts';
import { endpoints, ports } from './groups/express-cases.ts';
import { conventional, DOWN, isolated, many, nic, ON, port, ROOT, UP } from './groups/group-case.ts';

const name = (fn: { readonly name: string }): string => fn.name.replace(/^0000:/, '');

describe.each([
  ['endpoints', endpoints],
  ['ports', ports],
  ['bridges', bridges],
  ['integrated functions', integrated],
  ['by the tables', tables],
  ['aliases', aliases],
  ['trees', trees],
  ['virtual functions', virtuals],
])('%s', (_, cases) => {
  test.each(cases)('$key', ({ machine, groups, options }) => {
    const dump = readTopologyText(configText(machine));
    const derived = deriveIommuGroups(dump, options);
    expect(derived.groups.map(({ members }) => members.map(name).join(' '))).toEqual(groups);
    expect(derived.groups.flatMap(({ mayAlsoHold }) => mayAlsoHold)).toEqual([]);
    derived.groups.forEach(({ number, members }, position) => {
      if (members[0]?.virtualFunction !== true) expect(number).toBe(position);
    });
  });
});

describe('what the dump does not show', () => {
  const groupsOf = (
    machine: MachinePlan,
    edit: (text: string) => string,
    options: GroupOptions = {},
  ): string[] => {
    const dump = readTopologyText(edit(configText(machine)));
    const { groupOf } = deriveIommuGroups(dump, options);
    return dump.functions.filter((fn) => groupOf(fn) === 'unknown').map(name);
  };
  const short = (text: string): string => text.replace(/^[0-9a-f]{3}: .*\n/gm, '');

  test('256 bytes: whoever rests on ACS of a port or of a function has no known group', () => {
    expect(
      groupsOf(
        {
          '00:01.0': isolated([1, 1]),
          '00:02.0': conventional,
          '00:03.0': port(ROOT, [2, 2], { ids: '1c36:0031' }),
          '01:00.0': nic,
          '02:00.0': many,
          '02:00.1': many,
        },
        short,
      ),
    ).toEqual(['01:00.0', '02:00.1']);
  });

  test('a southbridge on a machine of which the processor is not shown', () => {
    const machine = {
      '00:14.0': { ids: '1002:4385', mf: true },
      '00:14.3': { ids: '1002:439d', mf: true },
    };
    expect(groupsOf(machine, (text) => text)).toEqual(['00:14.3']);
  });

  test('a switch of which one port is out of reach', () => {
    const machine = {
      '00:01.0': isolated([1, 3]),
      '01:00.0': port(UP, [2, 3]),
      '02:00.0': port(DOWN, [3, 3], { acs: ON }),
      '03:00.0': nic,
    };
    const gone = (text: string): string =>
      text.replace(/(02:00[.]0 .*\n)(?:[0-9a-f]{2,3}: .*\n)+/, (_all, head: string) =>
        [
          head,
          ...Array.from(
            { length: 256 },
            (__, i) => `${(i * 16).toString(16).padStart(2, '0')}:${' ff'.repeat(16)}\n`,
          ),
        ].join(''),
      );
    expect(groupsOf(machine, gone)).toEqual(['03:00.0']);
  });
});
