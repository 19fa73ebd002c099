// Devices that isolate, or do not, other than their ACS registers say: the kernel's table, as ids.
// Source followed: pci_dev_acs_enabled of the kernel, the same in 6.1 to 7.3; each list names what was found there.
// Simplified: whether the boot workaround for old Intel PCH ports worked is not in any dump: such ports are unknown.

import type { DumpedFunction, Knowledge } from '../model/dumped-function.ts';

/**
 * What a table entry does. `none`: the ordinary rule applies.
 * @internal
 */
export type QuirkAnswer =
  | 'isolated'
  | 'not-isolated'
  | 'unknown'
  | 'amd-southbridge'
  | 'sunrise-point'
  | 'none';

const INTEL = 0x8086;
const ZHAOXIN = 0x1d17;
const WANGXUN = 0x8088;

/** Single ids, and [first, last] ranges. */
type IdList = readonly (number | readonly [number, number])[];

const listed = (list: IdList, id: number): boolean =>
  list.some((entry) => (typeof entry === 'number' ? entry === id : id >= entry[0] && id <= entry[1]));

const southbridges: ReadonlyMap<number, IdList> = new Map<number, IdList>([
  [0x1002, [0x4385, 0x439c, 0x4383, 0x439d, 0x4384, 0x4399]],
  [0x1022, [0x780f, 0x7809]],
]);

// Functions that were verified not to talk to each other.
const isolatedFunctions: ReadonlyMap<number, IdList> = new Map<number, IdList>([
  [0x1924, [0x0903, 0x0923, 0x0a03]],
  [
    INTEL,
    [
      0x10c6,
      0x10db,
      0x10dd,
      0x10e1,
      0x10f1,
      [0x10f7, 0x10fc],
      0x1507,
      0x1514,
      0x151c,
      0x1529,
      0x152a,
      0x154d,
      0x154f,
      0x1551,
      0x1558,
      0x1509,
      [0x150e, 0x1511],
      0x1516,
      0x1527,
      0x10c9,
      [0x10e6, 0x10e8],
      0x150a,
      0x150d,
      0x1518,
      0x1526,
      0x10a7,
      0x10a9,
      0x10d6,
      [0x1521, 0x1524],
      [0x105e, 0x1060],
      0x10d9,
      0x15b7,
      0x15b8,
    ],
  ],
  [0x19a2, [0x0710]],
  [0x10df, [0x0720]],
  [0x177d, [0xa026, 0xa059, 0xa060]],
  [0x14e4, [0x16d7, [0x1750, 0x1752], [0x1760, 0x1763]]],
  [ZHAOXIN, [0x3038, 0x3104, 0x9083]],
]);

// Root ports that isolate without saying so.
const isolatedPorts: ReadonlyMap<number, IdList> = new Map<number, IdList>([
  [0x17cb, [0x0400, 0x0401, 0x0115, 0x0111, 0x0120]],
  [0x1dbf, [0x0401]],
  [
    0x1957,
    [
      [0x8d80, 0x8d83],
      [0x8d88, 0x8d8b],
      [0x8d90, 0x8d93],
      [0x8d98, 0x8d9b],
      0x8da0,
      0x8da1,
      0x8da8,
      0x8da9,
      0x8db0,
      0x8db1,
      0x8db8,
      0x8db9,
    ],
  ],
  [0x1def, [[0xe005, 0xe00c]]],
  [0x10e8, [0xe004]],
  [0x14e4, [0xd714]],
  [0x0014, [0x3c09, 0x3c19, 0x3c29, 0x7a09, 0x7a19, 0x7a29, 0x7a39, 0x7a49, 0x7a59, 0x7a69]],
]);

const caviumRootPorts: IdList = [[0xa000, 0xa7ff], 0xaf84, 0xb884];
const zhaoxinPorts: IdList = [[0x0710, 0x071e], 0x0721, [0x0723, 0x0752]];
const wangxunNics: IdList = [
  [0x0100, 0x010f],
  0x1001,
  0x2001,
  0x5010,
  0x5025,
  0x5040,
  0x5110,
  0x5125,
  0x5140,
];

const oldPchPorts: IdList = [
  [0x3b42, 0x3b51],
  [0x1c10, 0x1c1f],
  [0x1e10, 0x1e1f],
  [0x8c10, 0x8c1f],
  [0x9c10, 0x9c1b],
  [0x9c90, 0x9c9b],
  [0x8d10, 0x8d1e],
  0x1d10,
  0x1d12,
  0x1d14,
  0x1d16,
  0x1d18,
  0x1d1a,
  0x1d1c,
  0x1d1e,
  0x8c90,
  0x8c92,
  0x8c94,
  0x8c96,
  0x8c98,
  0x8c9a,
  0x8c9c,
  0x8c9e,
];
const sunrisePointPorts: IdList = [
  [0xa110, 0xa11f],
  [0xa167, 0xa16a],
  [0xa290, 0xa29f],
  [0xa2e7, 0xa2ee],
  [0x9d10, 0x9d1b],
];

/**
 * What the table says about a function.
 * @internal
 */
export function isolationQuirk(fn: DumpedFunction): QuirkAnswer {
  const { vendorId, deviceId, portType } = fn;
  if (vendorId === 'unknown') return 'unknown';
  if (vendorId === INTEL && portType === 9) return 'isolated';
  if (!mentioned(vendorId)) return 'none';
  if (deviceId === 'unknown') return 'unknown';
  if (listed(southbridges.get(vendorId) ?? [], deviceId)) return 'amd-southbridge';
  if (listed(isolatedFunctions.get(vendorId) ?? [], deviceId)) return 'isolated';
  if (listed(isolatedPorts.get(vendorId) ?? [], deviceId)) return 'isolated';
  return byVendor(vendorId, deviceId, portType);
}

const mentioned = (vendorId: number): boolean =>
  southbridges.has(vendorId) ||
  isolatedFunctions.has(vendorId) ||
  isolatedPorts.has(vendorId) ||
  [0x1c36, WANGXUN].includes(vendorId);

function byVendor(vendorId: number, deviceId: number, portType: Knowledge<number | 'absent'>): QuirkAnswer {
  const rootPort = portType === 4;
  if (vendorId === INTEL && rootPort && listed(oldPchPorts, deviceId)) return 'unknown';
  if (vendorId === INTEL && rootPort && listed(sunrisePointPorts, deviceId)) return 'sunrise-point';
  if (vendorId === 0x1c36 && rootPort && deviceId === 0x0031) return 'isolated';
  if (vendorId === 0x177d && rootPort && listed(caviumRootPorts, deviceId)) return 'isolated';
  if (vendorId === ZHAOXIN && (rootPort || portType === 6))
    return listed(zhaoxinPorts, deviceId) ? 'isolated' : 'not-isolated';
  if (vendorId === WANGXUN) return listed(wangxunNics, deviceId) ? 'isolated' : 'not-isolated';
  return 'none';
}

/**
 * Whether a function whose ids are not shown may stand in the table as one that does not isolate, whatever its registers
 * say: an old PCH port, a port of Zhaoxin, a NIC of Wangxun.
 */
export function mayBeDenied({ vendorId, portType, classId }: DumpedFunction): boolean {
  if (portType === 4 || portType === 6)
    return vendorId === 'unknown' || vendorId === ZHAOXIN || vendorId === INTEL;
  const isNetwork = classId === 'unknown' || Math.floor(classId / 256) === 0x02;
  return isNetwork && (vendorId === 'unknown' || vendorId === WANGXUN);
}
