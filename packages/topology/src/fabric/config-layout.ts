// ConfigLayout: the 4096 configuration bytes of a function: the dumped ones where they are complete, else laid out anew
// from the facts that are known, with the ACS capability where the dump says it stands.
// Source followed: PCI Express Base Specification 6.0, sections 7.5.1, 7.5.3, 7.6.3, 7.7.11 and 7.9.28 (null capability).
// Simplified: of a function that is laid out anew only the PCI Express and ACS capabilities exist; its TLP sizes are those
// after reset (128 and 512 bytes); ids that nobody knows read as ones, as from a function that hides them.

import type { DumpedFunction, Knowledge } from '../model/dumped-function.ts';

const HEADER_AND_CAPABILITIES = 256;
const EXPRESS_AT = 0x40;
const FIRST_EXTENDED = 0x100;
const ACS_HEADER = 0x1000d;
const EGRESS_CONTROL = 0x20;

/** What the dump and the assumptions say of the registers that matter. */
export interface LaidOutFacts {
  readonly isBridge: boolean;
  readonly acsControl: number | 'absent';
  readonly memory: boolean;
  readonly busMaster: boolean;
}

/** Leading configuration bytes of which every bit was dumped. */
export function dumpedPrefix({ known }: DumpedFunction): number {
  const hole = known.findIndex((mask) => mask !== 0xff);
  return hole < 0 ? known.length : hole;
}

/** True when header and capabilities are taken from the dump as they are. */
export const hasDumpedHeader = (fn: DumpedFunction): boolean => dumpedPrefix(fn) >= HEADER_AND_CAPABILITIES;

/** True when the extended capabilities are, too. */
export const hasDumpedExtended = (fn: DumpedFunction): boolean => dumpedPrefix(fn) >= 4096;

/** The bytes. Windows of a bridge that is laid out anew are closed. */
export function configLayout(fn: DumpedFunction, facts: LaidOutFacts): Uint8Array {
  const bytes = new Uint8Array(4096);
  const view = new DataView(bytes.buffer);
  if (hasDumpedHeader(fn)) bytes.set(fn.config.subarray(0, HEADER_AND_CAPABILITIES));
  else layHeader(view, fn, facts);
  const command = view.getUint16(0x04, true) & ~0x6;
  view.setUint16(0x04, command + (facts.memory ? 2 : 0) + (facts.busMaster ? 4 : 0), true);
  if (hasDumpedExtended(fn)) bytes.set(fn.config.subarray(FIRST_EXTENDED), FIRST_EXTENDED);
  layAcs(view, fn, facts.acsControl);
  return bytes;
}

const or = <T>(value: Knowledge<T>, otherwise: T): T => (value === 'unknown' ? otherwise : value);

function layHeader(view: DataView, fn: DumpedFunction, { isBridge }: LaidOutFacts): void {
  view.setUint16(0x00, or(fn.vendorId, 0xffff), true);
  view.setUint16(0x02, or(fn.deviceId, 0xffff), true);
  view.setUint16(0x0a, or(fn.classId, 0), true);
  view.setUint8(0x09, or(fn.progIf, 0));
  view.setUint8(0x0e, (isBridge ? 1 : 0) + (fn.multifunction === true ? 0x80 : 0));
  if (isBridge) layBridge(view, fn);
  else {
    view.setUint16(0x2c, or(fn.subsystemVendorId, 0), true);
    view.setUint16(0x2e, or(fn.subsystemId, 0), true);
  }
  if (typeof fn.portType !== 'number') return;
  view.setUint8(0x06, 0x10);
  view.setUint8(0x34, EXPRESS_AT);
  view.setUint8(EXPRESS_AT, 0x10);
  view.setUint16(EXPRESS_AT + 2, fn.portType * 16 + 2, true);
  view.setUint16(EXPRESS_AT + 8, 0x2000, true);
}

function layBridge(view: DataView, { buses }: DumpedFunction): void {
  if (typeof buses !== 'string') {
    view.setUint8(0x18, or(buses.primary, 0));
    view.setUint8(0x19, buses.secondary);
    view.setUint8(0x1a, buses.subordinate);
  }
  view.setUint16(0x20, 0xfff0, true);
  view.setUint16(0x24, 0xfff1, true);
  view.setUint16(0x26, 0x0001, true);
  view.setUint32(0x28, 0xffffffff, true);
}

/** ACS where it stands; without dumped bytes there, behind a null capability that leads to it. */
function layAcs(view: DataView, fn: DumpedFunction, control: number | 'absent'): void {
  const { offset, capability } = fn.acs;
  if (control === 'absent') return;
  const at =
    typeof offset === 'number' && offset >= FIRST_EXTENDED && offset <= 4084 ? offset : FIRST_EXTENDED;
  if (!hasDumpedExtended(fn) || typeof offset !== 'number') {
    const implemented = (typeof capability === 'number' ? capability : 0) | control;
    const vectorBits = (implemented & EGRESS_CONTROL) === 0 ? 0 : 32;
    if (at !== FIRST_EXTENDED) view.setUint32(FIRST_EXTENDED, at * 2 ** 20, true);
    view.setUint32(at, ACS_HEADER, true);
    view.setUint16(at + 4, vectorBits * 256 + implemented, true);
  }
  view.setUint16(at + 6, control, true);
}
