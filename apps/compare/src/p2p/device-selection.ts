// DeviceSelection: which functions of a dump a peer-to-peer matrix is about, what kind they are, and their short labels.
// Source followed: PCI class codes: display 03xx, network 02xx (InfiniBand 0207 among them), NVMe 0108, processing
// accelerators 12xx and co-processors 0b40.
// Simplified: other storage, encryption blocks of CPUs, DMA engines and switches of a vendor's own links come by --class or --all only.

import { type DumpedFunction, type MachineDump, parsePciAddress } from '@sgfree/topology';

/** What a device is for. */
export type DeviceKind = 'gpu' | 'nic' | 'nvme' | 'accelerator' | 'other';

/** A function with its label: `G0`, `N3`. */
export interface LabelledDevice {
  readonly label: string;
  readonly kind: DeviceKind;
  readonly fn: DumpedFunction;
}

/** A class asked for: a kind by name, or a code of which the upper bits are given. */
export type WantedClass =
  | { readonly kind: DeviceKind }
  | { readonly code: number; readonly bits: 8 | 16 | 24 };

const LETTER: Readonly<Record<DeviceKind, string>> = {
  gpu: 'G',
  nic: 'N',
  nvme: 'S',
  accelerator: 'A',
  other: 'D',
};
const NAMED: readonly DeviceKind[] = ['gpu', 'nic', 'nvme', 'accelerator'];

/** The kind of a function by its class. */
export function deviceKind({ classId }: DumpedFunction): DeviceKind {
  if (classId === 'unknown') return 'other';
  const base = classId >> 8;
  if (base === 0x03) return 'gpu';
  if (base === 0x02) return 'nic';
  if (classId === 0x0108) return 'nvme';
  return base === 0x12 || classId === 0x0b40 ? 'accelerator' : 'other';
}

/** Reads `gpu`, `nic`, `nvme`, `accelerator`, or two, four or six hex digits; undefined for anything else. */
export function wantedClass(text: string): WantedClass | undefined {
  const kind = NAMED.find((name) => name === text.toLowerCase());
  if (kind !== undefined) return { kind };
  const digits = /^(?:0x)?((?:[0-9a-f]{2}){1,3})$/i.exec(text)?.[1];
  if (digits === undefined) return undefined;
  const bits = digits.length === 2 ? 8 : digits.length === 4 ? 16 : 24;
  return { code: Number.parseInt(digits, 16), bits };
}

/** True for what can send requests of its own: no bridge, no port, no host bridge. */
export function isEndpoint({ classId, buses, portType }: DumpedFunction): boolean {
  if (typeof buses === 'object' || classId === 0x0600 || classId === 0x0604) return false;
  return portType === 'absent' || portType === 'unknown' || portType < 4 || portType === 9;
}

/** The functions that the matrix is about, in order of address. */
export function selectDevices(
  dump: MachineDump,
  wanted: 'interesting' | 'all' | readonly WantedClass[],
): LabelledDevice[] {
  const isWanted = (fn: DumpedFunction): boolean => {
    if (wanted === 'interesting') return deviceKind(fn) !== 'other';
    return wanted === 'all' || wanted.some((one) => hasClass(fn, one));
  };
  return labelled(dump.functions.filter((fn) => isEndpoint(fn) && isWanted(fn)));
}

/** Endpoints that may be of interest: the dump does not show their class. */
export const classless = ({ functions }: MachineDump): DumpedFunction[] =>
  functions.filter((fn) => fn.classId === 'unknown' && isEndpoint(fn));

function hasClass(fn: DumpedFunction, wanted: WantedClass): boolean {
  if ('kind' in wanted) return deviceKind(fn) === wanted.kind;
  const { classId, progIf } = fn;
  if (classId === 'unknown') return false;
  if (wanted.bits === 8) return classId >> 8 === wanted.code;
  if (wanted.bits === 16) return classId === wanted.code;
  return progIf !== 'unknown' && classId * 256 + progIf === wanted.code;
}

function labelled(functions: readonly DumpedFunction[]): LabelledDevice[] {
  const counts: Map<DeviceKind, number> = new Map();
  return functions.map((fn) => {
    const kind = deviceKind(fn);
    const count = counts.get(kind) ?? 0;
    counts.set(kind, count + 1);
    return { label: `${LETTER[kind]}${count}`, kind, fn };
  });
}

/** What an address typed by a person means in a dump. */
export type FoundDevice =
  | { readonly fn: DumpedFunction }
  | { readonly error: 'no-address' | 'absent' | 'ambiguous'; readonly near: readonly DumpedFunction[] };

/** Looks `text` up; without a domain it means the one function with that address in any domain. */
export function findDevice(dump: MachineDump, text: string): FoundDevice {
  const place = parsePciAddress(text);
  if (place === undefined) return { error: 'no-address', near: [] };
  const withDomain = text.split(':').length === 3;
  const near = dump.functions.filter(({ address }) => {
    const same = address.bus === place.bus && address.device === place.device && address.fn === place.fn;
    return same && (!withDomain || address.domain === place.domain);
  });
  const [fn] = near;
  if (fn === undefined) return { error: 'absent', near };
  return near.length === 1 ? { fn } : { error: 'ambiguous', near };
}
