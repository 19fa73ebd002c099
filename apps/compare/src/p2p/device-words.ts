// DeviceWords: how devices and ports of a dump are named in text: short names, kinds of port, what is above them.
// Source followed: PCI Express Base Specification 6.0, section 7.5.3.2 (device/port types), in the words of lspci.
// Everything that comes from a dump is made printable here.
// Simplified: a name longer than its column is cut.

import { classNameOf, type DumpedFunction } from '@sgfree/topology';
import { printable } from '../request-list/shown-value.ts';

const PORT_WORDS: ReadonlyMap<number, string> = new Map([
  [0, 'endpoint'],
  [1, 'legacy endpoint'],
  [4, 'root port'],
  [5, 'switch upstream port'],
  [6, 'switch downstream port'],
  [7, 'PCIe to PCI bridge'],
  [8, 'PCI to PCIe bridge'],
  [9, 'integrated endpoint'],
  [10, 'event collector'],
]);
const LONGEST_NAME = 60;

/** Four hex digits, or `????`. */
export const idText = (id: number | 'unknown'): string =>
  id === 'unknown' ? '????' : id.toString(16).padStart(4, '0');

/** `vendor:device` in hex. */
export const idsText = (fn: { vendorId: number | 'unknown'; deviceId: number | 'unknown' }): string =>
  `${idText(fn.vendorId)}:${idText(fn.deviceId)}`;

/** Vendor and device as people say it, else class and numbers. */
export function deviceName(fn: DumpedFunction, most: number = LONGEST_NAME): string {
  if (fn.title !== '') return printable(fn.title, most);
  const className = fn.classId === 'unknown' ? '' : (classNameOf(fn.classId) ?? '');
  return printable(`${className || fn.className || 'Device'} ${idsText(fn)}`, most);
}

/** What kind of function it is. */
export function portWords(fn: DumpedFunction): string {
  if (fn.portType === 'absent') return typeof fn.buses === 'object' ? 'PCI bridge' : 'PCI device';
  if (fn.portType === 'unknown') {
    return fn.buses === 'absent' ? 'device' : typeof fn.buses === 'object' ? 'bridge' : 'function';
  }
  return PORT_WORDS.get(fn.portType) ?? `PCIe type ${fn.portType}`;
}

/** The port above a device and the switch it belongs to, or the root bus. */
export function placeWords(fn: DumpedFunction): string {
  const { upstream } = fn;
  if (upstream === 'unknown') return 'not shown';
  if (upstream === 'root') return 'root bus';
  const above = upstream.upstream;
  if (upstream.portType === 6 && typeof above === 'object') return `${upstream.name} of switch ${above.name}`;
  return upstream.name;
}
