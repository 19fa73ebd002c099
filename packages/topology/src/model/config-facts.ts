// What configuration bytes say: identity, header, bus numbers, port type, ACS.
// Source followed: PCI Express Base Specification 6.0, sections 7.5.1, 7.5.3 and 7.7.11.
// Simplified: the ACS capability is read where the standard puts it, also on ports with a layout of their own.

import { walkCapabilities, walkExtendedCapabilities } from './config-capabilities.ts';
import type { BridgeBuses, DumpedAcs, Knowledge, RegisterFact } from './dumped-function.ts';
import type { KnownConfig } from './known-config.ts';

const PCI_CAP_ID_EXP = 0x10;
const PCI_EXT_CAP_ID_ACS = 0x0d;
const acsBits = 0x7f;

/** Facts of the header. */
export interface HeaderFacts {
  readonly vendorId: Knowledge<number>;
  readonly deviceId: Knowledge<number>;
  readonly subsystemVendorId: Knowledge<number>;
  readonly subsystemId: Knowledge<number>;
  readonly classId: Knowledge<number>;
  readonly progIf: Knowledge<number>;
  readonly headerType: Knowledge<number>;
  readonly multifunctionBit: Knowledge<boolean>;
  readonly buses: BridgeBuses | 'absent' | 'unknown';
  readonly memoryEnabled: Knowledge<boolean>;
  readonly busMaster: Knowledge<boolean>;
}

const bit = (value: Knowledge<number>, mask: number): Knowledge<boolean> =>
  value === 'unknown' ? 'unknown' : (value & mask) !== 0;

// A virtual function answers all ones where its identity should stand.
const identity = (value: Knowledge<number>): Knowledge<number> => (value === 0xffff ? 'unknown' : value);

/** Decodes the header. */
export function headerFacts(config: KnownConfig): HeaderFacts {
  const headerByte = config.read(0x0e, 1);
  const headerType = headerByte === 'unknown' || headerByte === 0xff ? 'unknown' : headerByte & 0x7f;
  const endpoint = headerType === 0;
  const command = config.read(0x04, 2);
  return {
    vendorId: identity(config.read(0x00, 2)),
    deviceId: identity(config.read(0x02, 2)),
    subsystemVendorId: endpoint ? config.read(0x2c, 2) : 'unknown',
    subsystemId: endpoint ? config.read(0x2e, 2) : 'unknown',
    classId: config.read(0x0a, 2),
    progIf: config.read(0x09, 1),
    headerType,
    multifunctionBit: headerType === 'unknown' ? 'unknown' : bit(headerByte, 0x80),
    buses: busNumbers(config, headerType),
    memoryEnabled: bit(command, 0x2),
    busMaster: bit(command, 0x4),
  };
}

function busNumbers(config: KnownConfig, headerType: Knowledge<number>): BridgeBuses | 'absent' | 'unknown' {
  if (headerType === 'unknown') return 'unknown';
  if (headerType !== 1 && headerType !== 2) return 'absent';
  const secondary = config.read(0x19, 1);
  const subordinate = config.read(0x1a, 1);
  if (secondary === 'unknown' || subordinate === 'unknown') return 'unknown';
  return { primary: config.read(0x18, 1), secondary, subordinate };
}

/** Device/port type; `loop` when the capability list never ends. */
export function portTypeFact(config: KnownConfig): { readonly type: RegisterFact; readonly loop: boolean } {
  const { at, loop } = walkCapabilities(config, PCI_CAP_ID_EXP);
  if (typeof at !== 'number') return { type: at, loop };
  const flags = config.read(at + 2, 2);
  return { type: flags === 'unknown' ? 'unknown' : (flags >> 4) & 0xf, loop };
}

/**
 * Access Control Services. Bytes that end at 256 leave it open on a PCI Express function: the kernel has no more where
 * the platform cannot reach further, and a copy has no more where it was cut.
 */
export function acsFacts(
  config: KnownConfig,
  portType: RegisterFact,
): DumpedAcs & { readonly loop: boolean } {
  const walk = walkExtendedCapabilities(config, PCI_EXT_CAP_ID_ACS);
  // Without PCI Express there is no extended space, whether or not somebody tried to dump it.
  const none = walk.at === 'unknown' && portType === 'absent';
  const at = none ? 'absent' : walk.at;
  if (typeof at !== 'number') return { offset: at, capability: at, control: at, loop: walk.loop };
  return { offset: at, capability: bits(config, at + 4), control: bits(config, at + 6), loop: walk.loop };
}

function bits(config: KnownConfig, offset: number): Knowledge<number> {
  const value = config.read(offset, 1);
  return value === 'unknown' ? 'unknown' : value & acsBits;
}
