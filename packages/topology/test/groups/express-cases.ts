// Machines of PCI Express ports and endpoints, with the groups that the rules of the kernel give.
// Worked out before the code was asked.
// Simplified: for tests only.

import { DOWN, type GroupCase, isolated, many, nic, OFF, ON, port, ROOT, UP } from './group-case.ts';

/** Functions of endpoints. */
export const endpoints: readonly GroupCase[] = [
  {
    key: 'functions-without-acs',
    machine: { '00:01.0': isolated([1, 1]), '01:00.0': many, '01:00.1': many },
    groups: ['00:01.0', '01:00.0 01:00.1'],
  },
  {
    key: 'functions-with-acs',
    machine: {
      '00:01.0': isolated([1, 1]),
      '01:00.0': { ...many, acs: ON },
      '01:00.1': { ...many, acs: ON },
    },
    groups: ['00:01.0', '01:00.0', '01:00.1'],
  },
  {
    key: 'one-function-with-acs',
    machine: {
      '00:01.0': isolated([1, 1]),
      '01:00.0': { ...many, acs: ON },
      '01:00.1': many,
      '01:00.2': many,
    },
    groups: ['00:01.0', '01:00.0', '01:00.1 01:00.2'],
  },
  {
    key: 'acs-that-implements-nothing',
    machine: {
      '00:01.0': isolated([1, 1]),
      '01:00.0': { ...many, acs: [0, 0] },
      '01:00.1': { ...many, acs: [0, 0] },
    },
    groups: ['00:01.0', '01:00.0', '01:00.1'],
  },
  {
    key: 'acs-with-one-bit-off',
    machine: {
      '00:01.0': isolated([1, 1]),
      '01:00.0': { ...many, acs: [0x1d, 0x0d] },
      '01:00.1': { ...many, acs: [0x1d, 0x1c] },
    },
    groups: ['00:01.0', '01:00.0 01:00.1'],
  },
  {
    key: 'acs-with-two-bits-only',
    machine: {
      '00:01.0': isolated([1, 1]),
      '01:00.0': { ...many, acs: [0x0c, 0x0c] },
      '01:00.1': { ...many, acs: [0x0c, 0x0c] },
    },
    groups: ['00:01.0', '01:00.0', '01:00.1'],
  },
  {
    key: 'legacy-endpoints',
    machine: {
      '00:01.0': isolated([1, 1]),
      '01:00.0': { type: 1, mf: true },
      '01:00.1': { type: 1, mf: true },
    },
    groups: ['00:01.0', '01:00.0 01:00.1'],
  },
  {
    key: 'a-type-that-nobody-knows',
    machine: {
      '00:01.0': isolated([1, 1]),
      '01:00.0': { type: 3, mf: true },
      '01:00.1': { type: 3, mf: true },
    },
    groups: ['00:01.0', '01:00.0', '01:00.1'],
  },
  {
    key: 'function-zero-without-the-bit',
    machine: { '00:01.0': isolated([1, 1]), '01:00.0': nic, '01:00.1': nic },
    groups: ['00:01.0', '01:00.0', '01:00.1'],
  },
  {
    key: 'functions-beyond-seven-by-ari',
    machine: {
      '00:01.0': isolated([1, 1]),
      '01:00.0': many,
      '01:00.7': many,
      '01:01.0': nic,
      '01:01.1': nic,
    },
    groups: ['00:01.0', '01:00.0 01:00.7', '01:01.0 01:01.1'],
  },
];

/** Root ports and switches. */
export const ports: readonly GroupCase[] = [
  {
    key: 'root-port-without-acs',
    machine: {
      '00:01.0': port(ROOT, [1, 4]),
      '01:00.0': port(UP, [2, 4]),
      '02:00.0': port(DOWN, [3, 3], { acs: ON }),
      '02:01.0': port(DOWN, [4, 4], { acs: ON }),
      '03:00.0': nic,
      '04:00.0': nic,
    },
    groups: ['00:01.0 01:00.0 02:00.0 02:01.0 03:00.0 04:00.0'],
  },
  {
    key: 'root-ports-of-one-slot',
    machine: {
      '00:1c.0': port(ROOT, [1, 1], { mf: true }),
      '00:1c.1': port(ROOT, [2, 2], { mf: true }),
      '01:00.0': nic,
      '02:00.0': nic,
    },
    groups: ['00:1c.0 00:1c.1 01:00.0 02:00.0'],
  },
  {
    key: 'root-ports-of-one-slot-one-with-acs',
    machine: {
      '00:1c.0': isolated([1, 1], { mf: true }),
      '00:1c.1': port(ROOT, [2, 2], { mf: true }),
      '00:1c.2': port(ROOT, [3, 3], { mf: true }),
      '01:00.0': nic,
      '02:00.0': nic,
      '03:00.0': nic,
    },
    groups: ['00:1c.0', '00:1c.1 00:1c.2 02:00.0 03:00.0', '01:00.0'],
  },
  {
    key: 'downstream-ports-some-with-acs',
    machine: {
      '00:01.0': isolated([1, 5]),
      '01:00.0': port(UP, [2, 5]),
      '02:00.0': port(DOWN, [3, 3]),
      '02:01.0': port(DOWN, [4, 4], { acs: OFF }),
      '02:02.0': port(DOWN, [5, 5], { acs: ON }),
      '03:00.0': nic,
      '04:00.0': nic,
      '05:00.0': nic,
    },
    groups: ['00:01.0', '01:00.0', '02:00.0 03:00.0', '02:01.0 04:00.0', '02:02.0', '05:00.0'],
  },
  {
    key: 'downstream-ports-with-part-of-acs',
    machine: {
      '00:01.0': isolated([1, 4]),
      '01:00.0': port(UP, [2, 4]),
      '02:00.0': port(DOWN, [3, 3], { acs: [0x1f, 0x1c] }),
      '02:01.0': port(DOWN, [4, 4], { acs: [0x1c, 0x1c] }),
      '03:00.0': nic,
      '04:00.0': nic,
    },
    groups: ['00:01.0', '01:00.0', '02:00.0 03:00.0', '02:01.0', '04:00.0'],
  },
  {
    key: 'egress-control-is-no-isolation',
    machine: {
      '00:01.0': isolated([1, 4]),
      '01:00.0': port(UP, [2, 4]),
      '02:00.0': port(DOWN, [3, 3], { acs: [0x3f, 0x20] }),
      '02:01.0': port(DOWN, [4, 4], { acs: [0x3f, 0x3d] }),
      '03:00.0': nic,
      '04:00.0': nic,
    },
    groups: ['00:01.0', '01:00.0', '02:00.0 03:00.0', '02:01.0', '04:00.0'],
  },
  {
    key: 'downstream-ports-of-one-slot',
    machine: {
      '00:01.0': isolated([1, 4]),
      '01:00.0': port(UP, [2, 4]),
      '02:00.0': port(DOWN, [3, 3], { mf: true }),
      '02:00.1': port(DOWN, [4, 4], { mf: true }),
      '03:00.0': nic,
      '04:00.0': nic,
    },
    groups: ['00:01.0', '01:00.0', '02:00.0 02:00.1 03:00.0 04:00.0'],
  },
  {
    key: 'upstream-port-beside-an-endpoint',
    machine: {
      '00:01.0': isolated([1, 4]),
      '01:00.0': port(UP, [2, 4], { mf: true }),
      '01:00.1': many,
      '02:00.0': port(DOWN, [3, 3], { acs: ON }),
      '02:01.0': port(DOWN, [4, 4], { acs: ON }),
      '03:00.0': nic,
      '04:00.0': nic,
    },
    groups: ['00:01.0', '01:00.0 01:00.1 02:00.0 02:01.0 03:00.0 04:00.0'],
  },
  {
    key: 'upstream-port-beside-an-endpoint-both-with-acs',
    machine: {
      '00:01.0': isolated([1, 3]),
      '01:00.0': port(UP, [2, 3], { mf: true, acs: ON }),
      '01:00.1': { ...many, acs: ON },
      '02:00.0': port(DOWN, [3, 3], { acs: ON }),
      '03:00.0': nic,
    },
    groups: ['00:01.0', '01:00.0', '01:00.1', '02:00.0', '03:00.0'],
  },
  {
    key: 'a-what-if-merges-below-a-switch',
    machine: {
      '00:01.0': isolated([1, 4]),
      '01:00.0': port(UP, [2, 4]),
      '02:00.0': port(DOWN, [3, 3], { acs: [0x1f, 0x11] }),
      '02:01.0': port(DOWN, [4, 4], { acs: [0x1f, 0x11] }),
      '03:00.0': nic,
      '04:00.0': many,
      '04:00.1': many,
    },
    groups: ['00:01.0', '01:00.0', '02:00.0 03:00.0', '02:01.0 04:00.0 04:00.1'],
  },
];
