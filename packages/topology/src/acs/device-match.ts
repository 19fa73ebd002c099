// How a kernel parameter names PCI devices: by place, by place and path, or by ids.
// Source followed: pci_dev_str_match of the kernel: `[domain:]bus:device.function[/device.function]...` or
// `pci:vendor:device[:subvendor:subdevice]`, where an id of 0 matches any.
// A path is read from its end and walked upwards; only its first part names a bus. So a mistake in an early part is met
// only by functions that the later parts mean. What follows a complete id form (`pci:0:4.0` is 0:4 and then `.0`) is left.
// Simplified: the subsystem of a bridge, which stands in a capability of its own, counts as unknown.

import type { DumpedFunction, Knowledge } from '../model/dumped-function.ts';

/**
 * A device form taken apart: a place (with the slots of a path below it, as device * 8 + function), ids (0 = any), or a
 * path of which only the last slots can be read: it means nobody, and whoever stands at those slots reads no further.
 * @public
 */
export type DeviceMatch =
  | {
      readonly kind: 'path';
      readonly domain: number;
      readonly bus: number;
      readonly slots: readonly number[];
    }
  | { readonly kind: 'ids'; readonly ids: readonly [number, number, number, number] }
  | { readonly kind: 'broken-path'; readonly slots: readonly number[] };

/** A parsed form and what of the text it did not use. */
export interface ParsedMatch {
  readonly match: DeviceMatch;
  readonly rest: string;
}

// Numbers as sscanf takes them: an 0x is welcome, and what does not fit in 16 bits of an id is cut off.
const number = '(?:0x)?([0-9a-f]+)';
const placeForm = new RegExp(`^(?:${number}:)?${number}:${number}[.]${number}$`, 'i');
const slotForm = new RegExp(`^${number}[.]${number}$`, 'i');
const fourIds = new RegExp(`^${number}:${number}:${number}:${number}`, 'i');
const twoIds = new RegExp(`^${number}:${number}`, 'i');

const hex = (digits: string | undefined): number => Number.parseInt(digits ?? '0', 16);

/** Parses one form (no `;` in it); undefined when the kernel could not either, whatever the function. */
export function parseDeviceMatch(text: string): ParsedMatch | undefined {
  if (text.startsWith('pci:')) return parseIds(text.slice(4));
  const [place = '', ...parts] = text.split('/');
  const slots = parts.map((part) => slotForm.exec(part));
  const broken = slots.lastIndexOf(null);
  const devfns = slots.slice(broken + 1).map((slot) => devfn(slot?.[1], slot?.[2]));
  const first = placeForm.exec(place);
  if (broken < 0 && first !== null) {
    const [, domain, bus, ...slot] = first;
    const all = [devfn(slot[0], slot[1]), ...devfns];
    return { match: { kind: 'path', domain: hex(domain), bus: hex(bus), slots: all }, rest: '' };
  }
  return devfns.length === 0 ? undefined : { match: { kind: 'broken-path', slots: devfns }, rest: '' };
}

// As PCI_DEVFN does it: bits that do not fit are cut off.
const devfn = (device: string | undefined, fn: string | undefined): number =>
  (hex(device) & 0x1f) * 8 + (hex(fn) & 7);

function parseIds(text: string): ParsedMatch | undefined {
  const found = fourIds.exec(text) ?? twoIds.exec(text);
  if (found === null) return undefined;
  const id = (at: number): number => hex(found[at]?.slice(-4));
  return { match: { kind: 'ids', ids: [id(1), id(2), id(3), id(4)] }, rest: text.slice(found[0].length) };
}

/**
 * Whether a function is meant.
 * @internal
 */
export function deviceMatches(match: DeviceMatch, fn: DumpedFunction): Knowledge<boolean> {
  if (match.kind === 'broken-path') return false;
  return match.kind === 'ids' ? idsMatch(match.ids, fn) : pathMatches(match, fn);
}

/** Whether the kernel gives up at this form when it looks for a function: it has come to a part that it cannot read. */
export function stopsReading(match: DeviceMatch, fn: DumpedFunction): Knowledge<boolean> {
  if (match.kind !== 'broken-path') return false;
  const above = climb(match.slots, 0, fn);
  return typeof above === 'object' ? true : above;
}

function idsMatch(wanted: readonly number[], fn: DumpedFunction): Knowledge<boolean> {
  let answer: Knowledge<boolean> = true;
  const shown = [fn.vendorId, fn.deviceId, fn.subsystemVendorId, fn.subsystemId];
  for (const [position, id] of wanted.entries()) {
    const is = shown[position] ?? 'unknown';
    if (id === 0 || is === id) continue;
    if (is !== 'unknown') return false;
    answer = 'unknown';
  }
  return answer;
}

function pathMatches(match: DeviceMatch & { kind: 'path' }, fn: DumpedFunction): Knowledge<boolean> {
  // Whoever is above has the same domain.
  if (fn.address.domain !== match.domain) return false;
  const top = climb(match.slots, 1, fn);
  if (typeof top !== 'object') return top;
  return top.address.bus === match.bus && slotOf(top) === match.slots[0];
}

/** The bridge above slots `from` and later of a path that ends at `fn`; false when `fn` does not stand so. */
function climb(
  slots: readonly number[],
  from: number,
  fn: DumpedFunction,
): DumpedFunction | false | 'unknown' {
  let at = fn;
  for (let step = slots.length - 1; step >= from; step -= 1) {
    if (slotOf(at) !== slots[step]) return false;
    const { upstream } = at;
    if (typeof upstream === 'string') return upstream === 'root' ? false : 'unknown';
    at = upstream;
  }
  return at;
}

const slotOf = ({ address }: DumpedFunction): number => address.device * 8 + address.fn;
