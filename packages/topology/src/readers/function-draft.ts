// A function while its dump is read: what was said about it so far, by text and by bytes.
// Source followed: how people paste: the same function turns up in a tree, in a listing and in a hex dump.
// The same fact twice is fine. Two identities at one address are two machines (an error); two states of one register
// are a machine that changed between the dumps (unknown, with a remark).
// Simplified: names differ between versions of pci.ids, so they count as identity only where no numbers are known.

import type { DumpedResource } from '../model/dumped-function.ts';
import { KnownConfig } from '../model/known-config.ts';
import { formatPciAddress, type PciAddress } from '../model/pci-address.ts';
import { TopologyInputError } from '../model/topology-input-error.ts';
import type { TopologyRemark } from '../model/topology-remark.ts';

/** What may be said about a function in words. */
export interface StatedFacts {
  vendorId: number;
  deviceId: number;
  classId: number;
  portType: number;
  headerType: number;
  virtualFunction: boolean;
  className: string;
  title: string;
  subsystemVendorId: number;
  subsystemId: number;
  progIf: number;
  primary: number;
  secondary: number;
  subordinate: number;
  acsOffset: number;
  acsCapability: number;
  acsControl: number;
  memoryEnabled: boolean;
  busMaster: boolean;
  capabilityList: boolean;
  vfEnabled: boolean;
  vfCount: number;
  vfOffset: number;
  vfStride: number;
  driver: string;
  numaNode: number;
  iommuGroup: number;
  slot: string;
  /** Key of the bridge above, or -1 for a root bus. */
  parent: number;
}

const identityFacts: ReadonlySet<keyof StatedFacts> = new Set([
  'vendorId',
  'deviceId',
  'classId',
  'portType',
  'headerType',
] as const);
const nameFacts: ReadonlySet<keyof StatedFacts> = new Set(['className', 'title'] as const);
const looseFacts: ReadonlySet<keyof StatedFacts> = new Set([
  'driver',
  'slot',
  'numaNode',
  'progIf',
  'virtualFunction',
] as const);

/** How much of the capability lists the text shows. */
export type CapabilityView = 'none' | 'listed' | 'hidden';

/** A function under construction. */
export class FunctionDraft {
  readonly address: PciAddress;
  readonly name: string;
  readonly line: number;
  readonly config: KnownConfig = new KnownConfig();
  readonly stated: Partial<StatedFacts> = {};
  readonly conflicts: Set<keyof StatedFacts> = new Set();
  readonly resources: DumpedResource[] = [];
  /** Bytes of 0 to 256 written: how often a hex block started. */
  hexBlocks = 0;
  capabilities: CapabilityView = 'none';
  /** Text showed a capability at 0x100 or above. */
  extendedListed = false;
  /** Text showed an SR-IOV capability. */
  sriovListed = false;
  /** The lines read now belong to the SR-IOV capability: their regions are those of virtual functions. */
  inVirtualFunctions = false;
  /** Text named the ACS capability or one of its registers. */
  acsNamed = false;
  /** Text showed registers that only a PCI Express function has. */
  expressNamed = false;
  /** The verbose block began and was not ended by an empty line, another block or its last lines. */
  open = false;
  /** What was met below the last first line, by name or offset. */
  readonly parts: Set<string> = new Set();
  /** Lines of another function ran in: words about registers are not believed. */
  mixed = false;
  /** How many bytes two dumps show differently. */
  changedBytes = 0;
  /** The bytes read back as all ones: the device did not answer. */
  gone = false;

  /** A function first mentioned at `line`. */
  constructor(address: PciAddress, line: number) {
    this.address = address;
    this.name = formatPciAddress(address);
    this.line = line;
  }

  /** Takes in one fact; returns the remark of a state that changed, if it did. */
  state<K extends keyof StatedFacts>(
    key: K,
    value: StatedFacts[K],
    line: number,
    file = '',
  ): TopologyRemark | undefined {
    const before = this.stated[key];
    if (before === undefined || before === value) {
      if (!this.conflicts.has(key)) this.stated[key] = value;
      return undefined;
    }
    if (identityFacts.has(key) || (nameFacts.has(key) && this.#nameless())) {
      throw twoMachines(this, key, before, value, { file, line });
    }
    if (nameFacts.has(key)) return undefined;
    if (looseFacts.has(key)) {
      this.stated[key] = value;
      return undefined;
    }
    delete this.stated[key];
    this.conflicts.add(key);
    return changed(this, key, before, value, { file, line });
  }

  /** Sets a dumped byte; a byte dumped differently before makes it unknown, unless it is the identity. */
  byte(offset: number, value: number, line: number): void {
    if (!this.config.contradicts(offset, value)) {
      this.config.setByte(offset, value);
      return;
    }
    // Vendor, device and class; a device that fell off the bus reads as ones.
    if (offset < 4 || (offset >= 9 && offset < 12)) {
      if (value !== 0xff && this.config.bytes[offset] !== 0xff) {
        throw twoMachines(this, `byte 0x${offset.toString(16)}`, this.config.bytes[offset], value, { line });
      }
    }
    this.config.forget(offset);
    this.changedBytes += 1;
  }

  #nameless(): boolean {
    return this.stated.vendorId === undefined || this.stated.deviceId === undefined;
  }
}

const printed = (value: unknown): string =>
  typeof value === 'number' ? `0x${value.toString(16)}` : JSON.stringify(value);

function twoMachines(
  draft: FunctionDraft,
  what: string,
  before: unknown,
  now: unknown,
  place: { file?: string; line: number },
): TopologyInputError {
  return new TopologyInputError(
    'two-machines',
    place,
    `${draft.name} with ${what} ${printed(now)}`,
    `${printed(before)} as at line ${draft.line}: dumps of two machines cannot be read as one`,
  );
}

function changed(
  draft: FunctionDraft,
  what: string,
  before: unknown,
  now: unknown,
  place: { file: string; line: number },
): TopologyRemark {
  return {
    code: 'state-changed',
    file: place.file,
    line: place.line,
    device: draft.name,
    what: `${what} was ${printed(before)} (line ${draft.line} on) and is ${printed(now)} here`,
    consequence: `${what} is taken as unknown: the dumps were made at different times`,
  };
}
