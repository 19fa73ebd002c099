// Functions that send requests under another function's number, and bridges that do.
// Source followed: the DMA alias quirks of the kernel, by id: function 0 and function 1 aliases, fixed places, whole ranges.
// A function whose ids the dump does not show may be one of those that alias within their slot.
// Simplified: Switchtec non-transparent bridges take their aliases from registers of a BAR: they may alias anybody.

import type { DumpedFunction, Knowledge } from '../model/dumped-function.ts';

const functionZero: ReadonlySet<string> = new Set(['1180:e832', '1180:e476', '6766:3d40', '6766:3d41']);
const functionOne: ReadonlySet<string> = new Set([
  ...['9120', '9123', '9125', '9128', '9130', '9170', '9172', '917a', '9182', '9183', '91a0'].map(
    (id) => `1b4b:${id}`,
  ),
  ...['9215', '9220', '9230', '9235'].map((id) => `1b4b:${id}`),
  '1103:0642',
  '1103:0645',
  '197b:2392',
  '1c28:0122',
]);
const xeonPhi: ReadonlySet<string> = new Set(['8086:2260', '8086:2264']);
const computeAccelerators: ReadonlySet<string> = new Set(
  ['2954', '2955', '2956', '2958', '2959', '295a'].map((id) => `8086:${id}`),
);
const wholeBus: ReadonlySet<string> = new Set(['10b5:87b0', '10b5:87b1']);
const adaptecRaid = '9005:0285';
/** Vendors with a device in one of these lists: others need no device id to be cleared. */
const vendors: ReadonlySet<string> = new Set(
  [...functionZero, ...functionOne, ...wholeBus, adaptecRaid].map((id) => id.slice(0, 4)),
);
/** Accelerators: the class of the Intel devices of these lists. */
const acceleratorClasses: readonly unknown[] = [0x0b40, 0x1200, 'unknown'];
const SWITCHTEC = 0x11f8;
const OTHER_BRIDGE = 0x0680;
const translationRoots: ReadonlySet<string> = new Set(['14e4:9000', '14e4:9084']);
const volumeManagement: ReadonlySet<string> = new Set(
  ['201d', '28c0', '467f', '4c3d', 'a77f', '7d0b', 'ad0b', '9a0b', 'b60b', 'b06f'].map((id) => `8086:${id}`),
);

const digits = (id: number | 'unknown'): string => (id === 'unknown' ? '' : id.toString(16).padStart(4, '0'));
const ids = ({ vendorId, deviceId }: DumpedFunction): string => `${digits(vendorId)}:${digits(deviceId)}`;
const devfn = ({ address }: DumpedFunction): number => address.device * 8 + address.fn;

/** Device and function numbers of the same bus that a function also uses; 'unknown' when its ids are. */
export function aliasDevfns(fn: DumpedFunction): Knowledge<readonly number[]> {
  const id = ids(fn);
  if (mayAlias(fn)) return 'unknown';
  const slot = fn.address.device * 8;
  if (functionZero.has(id)) return fn.address.fn === 0 ? [] : [slot];
  if (functionOne.has(id)) return fn.address.fn === 1 ? [] : [slot + 1];
  if (xeonPhi.has(id)) return [0x80, 0x88, 0x93];
  if (wholeBus.has(id)) return Array.from({ length: 256 }, (_, i) => i);
  if (computeAccelerators.has(id))
    return Array.from({ length: 160 }, (_, i) => Math.floor(i / 5) * 8 + (i % 5));
  return id === adaptecRaid ? adaptecAlias(fn) : [];
}

function adaptecAlias({ subsystemVendorId, subsystemId }: DumpedFunction): Knowledge<readonly number[]> {
  if (subsystemVendorId === 'unknown' || subsystemId === 'unknown') return 'unknown';
  return subsystemVendorId === 0x9005 && (subsystemId === 0x02bb || subsystemId === 0x02bc) ? [8] : [];
}

/** The ids do not tell: they are not shown, or the aliases stand elsewhere. */
function mayAlias({ vendorId, deviceId, classId, headerType, virtualFunction }: DumpedFunction): boolean {
  if (vendorId === SWITCHTEC) return classId === OTHER_BRIDGE || classId === 'unknown';
  if (headerType === 1 || virtualFunction === true) return false;
  if (vendorId === 'unknown') return true;
  if (deviceId !== 'unknown') return false;
  return vendors.has(digits(vendorId)) || (vendorId === 0x8086 && acceleratorClasses.includes(classId));
}

/** Whether two functions of one bus use each other's number. */
export function areDmaAliases(one: DumpedFunction, other: DumpedFunction): Knowledge<boolean> {
  const answers = [uses(one, other), uses(other, one)];
  if (answers.includes(true)) return true;
  return answers.includes('unknown') ? 'unknown' : false;
}

function uses(one: DumpedFunction, other: DumpedFunction): Knowledge<boolean> {
  const devfns = aliasDevfns(one);
  if (devfns !== 'unknown') return devfns.includes(devfn(other));
  if (one.vendorId === SWITCHTEC) return 'unknown';
  // What goes beyond a slot is rare, and its vendors are known.
  const sameSlot = one.address.device === other.address.device;
  if (one.vendorId === 'unknown') return sameSlot && other.address.fn < 2 ? 'unknown' : false;
  return 'unknown';
}

/** Bridges at which translation begins: nothing above adds an alias. */
export const isTranslationRoot = (fn: DumpedFunction): boolean => translationRoots.has(ids(fn));

/** The ASPEED bridge whose children keep their own numbers, from 7.2 on. */
export const makesNoAlias = (fn: DumpedFunction): boolean => ids(fn) === '1a03:1150';

/** An endpoint that hides a PCI domain of its own behind it (VMD). */
export const isVolumeManagement = (fn: DumpedFunction): boolean => volumeManagement.has(ids(fn));
