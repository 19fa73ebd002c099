// Machines with aliases, several trees and virtual functions, with the groups that the rules of the kernel give.
// Worked out before the code was asked.
// Simplified: for tests only.

import type { ConfigPlan } from '../config-machine.ts';
import {
  conventional,
  type GroupCase,
  INTEGRATED,
  isolated,
  many,
  nic,
  ON,
  port,
  ROOT,
} from './group-case.ts';

/** Functions that send under the number of others. */
export const aliases: readonly GroupCase[] = [
  {
    key: 'sends-as-function-one',
    machine: {
      '00:01.0': isolated([1, 1]),
      '01:00.0': { ...many, ids: '1b4b:9230', acs: ON },
      '01:00.1': { ...many, acs: ON },
      '01:00.2': { ...many, acs: ON },
    },
    groups: ['00:01.0', '01:00.0 01:00.1', '01:00.2'],
  },
  {
    key: 'sends-as-function-zero',
    machine: {
      '00:01.0': isolated([1, 1]),
      '01:00.0': { ...many, acs: ON },
      '01:00.1': { ...many, acs: ON },
      '01:00.3': { ...many, ids: '1180:e832', acs: ON },
    },
    groups: ['00:01.0', '01:00.0 01:00.3', '01:00.1'],
  },
  {
    key: 'sends-as-a-fixed-place',
    machine: {
      '00:01.0': conventional,
      '00:03.0': { ids: '9005:0285', subsystem: '9005:02bb' },
      '00:04.0': { ids: '9005:0285', subsystem: '9005:0001' },
    },
    groups: ['00:01.0 00:03.0', '00:04.0'],
  },
  {
    key: 'sends-as-anybody',
    machine: {
      '00:01.0': isolated([1, 1]),
      '01:00.0': { ...many, acs: ON },
      '01:00.1': { ...many, ids: '10b5:87b0', acs: ON },
      '01:00.2': { ...many, acs: ON },
    },
    groups: ['00:01.0', '01:00.0 01:00.1 01:00.2'],
  },
  {
    key: 'through-an-alias-to-its-unisolated-neighbour',
    machine: {
      '00:01.0': isolated([1, 1]),
      '01:00.1': { ...many, ids: '1b4b:9230', acs: ON },
      '01:00.2': { ...many, ids: '1b4b:9230', acs: ON },
      '01:00.3': many,
    },
    groups: ['00:01.0', '01:00.1 01:00.2', '01:00.3'],
  },
  {
    key: 'behind-a-volume-management-device',
    machine: {
      '00:05.5': { ids: '8086:28c0', classId: 0x0104, type: INTEGRATED },
      '10000:e1:00.0': port(ROOT, [0xe2, 0xe2], { acs: ON }),
      '10000:e2:00.0': nic,
    },
    groups: ['00:05.5 10000:e1:00.0 10000:e2:00.0'],
  },
];

/** Several domains and root buses. */
export const trees: readonly GroupCase[] = [
  {
    key: 'several-domains-with-the-same-buses',
    machine: {
      '0000:00:01.0': isolated([1, 1]),
      '0000:01:00.0': many,
      '0000:01:00.1': many,
      '0001:00:01.0': port(ROOT, [1, 1]),
      '0001:01:00.0': many,
      '0001:01:00.1': many,
    },
    groups: ['00:01.0', '01:00.0 01:00.1', '0001:00:01.0 0001:01:00.0 0001:01:00.1'],
  },
  {
    key: 'several-root-buses',
    machine: {
      '00:01.0': isolated([1, 1]),
      '01:00.0': nic,
      '40:01.0': port(ROOT, [0x41, 0x41]),
      '41:00.0': nic,
    },
    groups: ['00:01.0', '01:00.0', '40:01.0 41:00.0'],
  },
];

const virtual: ConfigPlan = { ids: 'ffff:ffff', type: 0 };
/** Virtual functions. */
export const virtuals: readonly GroupCase[] = [
  {
    key: 'virtual-functions-stand-alone',
    machine: {
      '00:01.0': isolated([1, 1]),
      '01:00.0': { ...nic, sriov: [2, 1, 1] },
      '01:00.1': virtual,
      '01:00.2': virtual,
    },
    groups: ['00:01.0', '01:00.0', '01:00.1', '01:00.2'],
  },
  {
    key: 'virtual-functions-beside-unisolated-functions',
    machine: {
      '00:01.0': isolated([1, 1]),
      '01:00.0': { ...many, sriov: [1, 2, 1] },
      '01:00.1': { ...many, sriov: [1, 2, 1] },
      '01:00.2': virtual,
      '01:00.3': virtual,
    },
    groups: ['00:01.0', '01:00.0 01:00.1', '01:00.2', '01:00.3'],
  },
  {
    key: 'virtual-functions-below-a-port-without-acs',
    machine: {
      '00:01.0': port(ROOT, [1, 2]),
      '01:00.0': { ...nic, sriov: [1, 0x100, 1] },
      '02:00.0': virtual,
    },
    groups: ['00:01.0 01:00.0 02:00.0'],
  },
  {
    key: 'virtual-functions-on-a-bus-of-their-own',
    machine: {
      '00:01.0': isolated([1, 2]),
      '01:00.0': { ...nic, sriov: [2, 0x100, 1] },
      '02:00.0': virtual,
      '02:00.1': virtual,
      '03:00.0': nic,
      '00:02.0': isolated([3, 3]),
    },
    groups: ['00:01.0', '00:02.0', '01:00.0', '03:00.0', '02:00.0', '02:00.1'],
  },
];
