// How a kernel parameter names PCI devices: by place, by place and path, or by ids.
// Source followed: pci_dev_str_match of the kernel: `[domain:]bus:device.function[/device.function]...` or
// `pci:vendor:device[:subvendor:subdevice]`, where an id of 0 matches any.
// A path is walked from the device upwards; only its first part names a bus, so the way down is what the path shows.
// Simplified: the subsystem of a bridge, which stands in a capability of its own, counts as unknown; what follows a complete id form (`pci:0:4.0` is 0:4 and then `.0`) is handed back, as the kernel leaves it.

import type { DumpedFunction, Knowledge } from '../model/dumped-function.ts';

/**
 * A device form taken apart: a place (with the slots of a path below it, as device * 8 + function), or ids (0 = any).
 * @public
 */
export type DeviceMatch =
  | {
      readonly kind: 'path';
      readonly domain: number;
      readonly bus: number;
      readonly slots: readonly number[];
    }
  | { readonly kind: 'ids'; readonly ids: readonly [number, number, number, number] };

/** A parsed form and what of the text it did not use. */
export interface ParsedMatch {
  readonly match: DeviceMatch;
  readonly rest: string;
}

const placeForm = /^(?:([0-9a-f]+):)?([0-9a-f]+):([0-9a-f]+)[.]([0-9a-f]+)$/i;
const slotForm = /^([0-9a-f]+)[.]([0-9a-f]+)$/i;
const fourIds = /^([0-9a-f]{1,4}):([0-9a-f]{1,4}):([0-9a-f]{1,4}):([0-9a-f]{1,4})/i;
const twoIds = /^([0-9a-f]{1,4}):([0-9a-f]{1,4})/i;

const hex = (digits: string | undefined): number => Number.parseInt(digits ?? '0', 16);

/** Parses one form (no `;` in it); undefined when the kernel could not either. */
export function parseDeviceMatch(text: string): ParsedMatch | undefined {
  if (text.startsWith('pci:')) return parseIds(text.slice(4));
  const [place = '', ...slots] = text.split('/');
  const first = placeForm.exec(place);
  const steps = slots.map((slot) => slotForm.exec(slot));
  if (first === null || steps.includes(null)) return undefined;
  const devfns = [devfn(first[3], first[4]), ...steps.map((step) => devfn(step?.[1], step?.[2]))];
  return { match: { kind: 'path', domain: hex(first[1]), bus: hex(first[2]), slots: devfns }, rest: '' };
}

// As PCI_DEVFN does it: bits that do not fit are cut off.
const devfn = (device: string | undefined, fn: string | undefined): number =>
  (hex(device) & 0x1f) * 8 + (hex(fn) & 7);

function parseIds(text: string): ParsedMatch | undefined {
  const found = fourIds.exec(text) ?? twoIds.exec(text);
  if (found === null) return undefined;
  const ids = [hex(found[1]), hex(found[2]), hex(found[3]), hex(found[4])] as const;
  return { match: { kind: 'ids', ids }, rest: text.slice(found[0].length) };
}

/** Whether a function is meant. */
export function deviceMatches(match: DeviceMatch, fn: DumpedFunction): Knowledge<boolean> {
  return match.kind === 'ids' ? idsMatch(match.ids, fn) : pathMatches(match, fn);
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
  let at = fn;
  for (let step = match.slots.length - 1; step > 0; step -= 1) {
    if (slotOf(at) !== match.slots[step]) return false;
    const { upstream } = at;
    if (upstream === 'root') return false;
    if (upstream === 'unknown') return 'unknown';
    at = upstream;
  }
  const { domain, bus } = at.address;
  return domain === match.domain && bus === match.bus && slotOf(at) === match.slots[0];
}

const slotOf = ({ address }: DumpedFunction): number => address.device * 8 + address.fn;
