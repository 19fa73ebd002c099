// Machines with bridges, integrated functions and devices of the kernel's table, with the groups that its rules give.
// Worked out before the code was asked.
// Simplified: for tests only.

import {
  COLLECTOR,
  conventional,
  DOWN,
  FROM_PCI,
  type GroupCase,
  INTEGRATED,
  isolated,
  many,
  nic,
  port,
  ROOT,
  TO_PCI,
  UP,
} from './group-case.ts';

/** Bridges from and to conventional PCI. */
export const bridges: readonly GroupCase[] = [
  {
    key: 'bridge-to-pci-and-bridge-below',
    machine: {
      '00:01.0': isolated([1, 3]),
      '01:00.0': port(TO_PCI, [2, 3]),
      '02:04.0': conventional,
      '02:05.0': { buses: [3, 3] },
      '03:01.0': conventional,
    },
    groups: ['00:01.0', '01:00.0 02:04.0 02:05.0 03:01.0'],
  },
  {
    key: 'conventional-bridge-of-the-root-bus',
    machine: {
      '00:1e.0': { ids: '8086:244e', buses: [5, 5] },
      '05:00.0': conventional,
      '05:01.0': conventional,
    },
    groups: ['00:1e.0 05:00.0 05:01.0'],
  },
  {
    key: 'bridge-from-pci-to-express',
    machine: { '00:04.0': port(FROM_PCI, [6, 6]), '06:00.0': nic, '00:05.0': conventional },
    groups: ['00:04.0 06:00.0', '00:05.0'],
  },
  ...(['6.12', '7.3'] as const).map((kernel) => ({
    // Its children keep their own numbers from 7.2 on, and share a group with it all the same.
    key: `bridge-without-an-alias-${kernel}`,
    machine: {
      '00:01.0': isolated([1, 2]),
      '01:00.0': port(TO_PCI, [2, 2], { ids: '1a03:1150' }),
      '02:00.0': conventional,
      '02:01.0': conventional,
    },
    groups: ['00:01.0', '01:00.0 02:00.0 02:01.0'],
    options: { kernel },
  })),
  {
    key: 'conventional-functions-of-the-root-bus',
    machine: {
      '00:04.0': conventional,
      '00:1f.0': { mf: true },
      '00:1f.3': { mf: true },
    },
    groups: ['00:04.0', '00:1f.0 00:1f.3'],
  },
];

/** What stands on a root bus. */
export const integrated: readonly GroupCase[] = [
  {
    key: 'integrated-endpoints',
    machine: {
      '00:03.0': { type: INTEGRATED },
      '00:04.0': { type: INTEGRATED, mf: true },
      '00:04.1': { type: INTEGRATED, mf: true },
    },
    groups: ['00:03.0', '00:04.0 00:04.1'],
  },
  {
    key: 'integrated-endpoints-of-intel',
    machine: {
      '00:04.0': { ids: '8086:0b00', type: INTEGRATED, mf: true },
      '00:04.1': { ids: '8086:0b00', type: INTEGRATED, mf: true },
    },
    groups: ['00:04.0', '00:04.1'],
  },
  {
    key: 'event-collectors',
    machine: {
      '00:00.0': { ids: '8086:09a2', type: INTEGRATED, mf: true },
      '00:00.2': { ids: '8086:09a4', type: COLLECTOR, mf: true },
      '00:00.4': { ids: '8086:0b23', type: COLLECTOR, mf: true },
      '00:05.0': { ids: '8086:0b23', type: COLLECTOR },
    },
    groups: ['00:00.0', '00:00.2 00:00.4', '00:05.0'],
  },
  ...(
    [
      ['amd', ['00:14.0', '00:14.2', '00:14.3']],
      ['intel', ['00:14.0 00:14.2 00:14.3']],
    ] as const
  ).map(([iommu, groups]) => ({
    key: `southbridge-functions-${iommu}`,
    machine: {
      '00:14.0': { ids: '1002:4385', mf: true },
      '00:14.2': { ids: '1002:4383', mf: true },
      '00:14.3': { ids: '1002:439d', mf: true },
    },
    groups: [...groups],
    options: { iommu },
  })),
  {
    key: 'the-iommu-has-no-group',
    machine: {
      '00:00.0': { ids: '1022:14a4', classId: 0x0600, mf: true },
      '00:00.2': { ids: '1022:149e', classId: 0x0806, mf: true },
      '00:01.0': { ids: '1022:149f', classId: 0x0600 },
    },
    groups: ['00:00.0', '00:01.0'],
  },
];

/** Devices of the table of exceptions. */
export const tables: readonly GroupCase[] = [
  {
    key: 'wide-registers-on',
    machine: {
      '00:1c.0': port(ROOT, [1, 1], { ids: '8086:a110', mf: true, wideAcs: [0x0f, 0x0f] }),
      '00:1c.1': port(ROOT, [2, 2], { ids: '8086:a111', mf: true, wideAcs: [0x0f, 0x0d] }),
      '01:00.0': nic,
      '02:00.0': nic,
    },
    groups: ['00:1c.0', '00:1c.1', '01:00.0', '02:00.0'],
  },
  {
    key: 'wide-registers-off',
    machine: {
      '00:1c.0': port(ROOT, [1, 1], { ids: '8086:a110', mf: true, wideAcs: [0x0f, 0x00] }),
      '00:1c.1': port(ROOT, [2, 2], { ids: '8086:a111', mf: true, wideAcs: [0x0f, 0x0f] }),
      '01:00.0': nic,
      '02:00.0': nic,
    },
    groups: ['00:1c.0 01:00.0', '00:1c.1', '02:00.0'],
  },
  {
    key: 'ports-that-isolate-without-saying-so',
    machine: {
      '00:01.0': port(ROOT, [1, 1], { ids: '1c36:0031' }),
      '00:02.0': port(ROOT, [2, 2], { ids: '177d:a1ff' }),
      '00:03.0': port(ROOT, [3, 3], { ids: '1d17:0723' }),
      '00:04.0': port(ROOT, [4, 4], { ids: '177d:a800' }),
      '01:00.0': nic,
      '02:00.0': nic,
      '03:00.0': nic,
      '04:00.0': nic,
    },
    groups: ['00:01.0', '00:02.0', '00:03.0', '00:04.0 04:00.0', '01:00.0', '02:00.0', '03:00.0'],
  },
  {
    key: 'functions-that-do-not-talk',
    machine: {
      '00:01.0': isolated([1, 1]),
      '01:00.0': { ...many, ids: '8086:10fb' },
      '01:00.1': { ...many, ids: '8086:10fb' },
      '01:00.2': { ...many, ids: '14e4:1751' },
      '01:00.3': many,
    },
    groups: ['00:01.0', '01:00.0', '01:00.1', '01:00.2', '01:00.3'],
  },
  ...(['6.12', '7.3'] as const).map((kernel) => ({
    key: `a-switch-that-validates-wrongly-${kernel}`,
    machine: {
      '00:01.0': isolated([1, 3]),
      '01:00.0': port(UP, [2, 3], { ids: '111d:80b5' }),
      '02:00.0': port(DOWN, [3, 3], { ids: '111d:80b5', acs: [0x1d, 0x1c] }),
      '03:00.0': nic,
    },
    groups:
      kernel === '7.3'
        ? ['00:01.0', '01:00.0', '02:00.0', '03:00.0']
        : ['00:01.0', '01:00.0', '02:00.0 03:00.0'],
    options: { kernel },
  })),
];
