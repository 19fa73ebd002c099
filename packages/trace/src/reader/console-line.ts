// Kernel messages about DMA that stand among the lines of a trace, or in a log: faults of AMD-Vi and VT-d, full pools.
// Source followed: the messages of drivers/iommu/amd/iommu.c, drivers/iommu/intel/dmar.c (and older: decimal reasons,
// PASID behind the device) and kernel/dma/swiotlb.c, with or without `[seconds.micro] ` before them.
// Simplified: a device without a segment is taken to be in segment 0000; other messages are not taken apart.

import type { TraceEvent } from '../trace-event.ts';
import { amdConsoleEvent } from './amd-console-event.ts';
import { ByteCursor, failures } from './byte-cursor.ts';
import { bytesOf } from './bytes-of.ts';
import { readFaultAddress } from './fault-address.ts';
import { textOf } from './text-pool.ts';

/** Longer lines are no messages. */
const LONGEST = 2048;
const NO_PASID = 0xffffffff;

const BRACKET = 0x5b;
const ANGLE = 0x3c;
/** Bytes in which a time at the start of a line ends. */
const STAMP_REACH = 48;

const STAMP_AT_START = /^ *(?:<\d+>)?\[ *\d{1,15}\.\d{1,9}\](?: |$)/;
const STAMP = /\[ *(\d{1,15})\.(\d{1,9})\] /;
const OWNER = /(?:^|[\s\]])(\S+) (\S+): $/;
const DMAR =
  /DMAR: ?\[(DMA (?:Read|Write))(?: NO_PASID| PASID (0x[\da-f]+))?\] Request device \[([\da-f:.]+)\](?: PASID ([\da-f]+))? fault addr (?:0x)?([\da-f]+)(?: +\[fault reason (0x[\da-f]+|\d+)\])?/i;
const FULL = /swiotlb buffer is full \(sz: (\d+) bytes\)(?:, total (\d+) \(slots\), used (\d+) \(slots\))?/;

/** Every message holds one of these; the third stands in the second line of older AMD-Vi messages. */
const words: readonly Uint8Array[] = ['AMD-Vi: ', 'DMAR:', ' address=0x', 'swiotlb buffer'].map(bytesOf);

function holdsWord(bytes: Uint8Array, from: number, end: number): boolean {
  for (let at = from; at < end; at += 1) {
    const byte = bytes[at];
    for (const word of words) {
      if (byte !== word[0] || at + word.length > end) continue;
      if (word.every((wanted, index) => bytes[at + index] === wanted)) return true;
    }
  }
  return false;
}

const withSegment = (device: string): string => (/^[\da-f]{2}:/i.test(device) ? `0000:${device}` : device);

/** Numbers go through the cursor, so that the bounds of the model and its failures hold for them too. */
function numberOf(text: string | undefined, base: 10 | 16, cursor: ByteCursor): number {
  const digits = (text ?? '').replace(/^0x/i, '');
  const value = Number.parseInt(digits, base);
  if (base === 16 && /^f{16}$/i.test(digits)) return -1;
  if (value < 2 ** 52) return value;
  cursor.fail(failures.absurd);
  return 0;
}

/** The driver and device that dev_err puts before a message. */
function setOwner(event: TraceEvent, before: string): void {
  const owner = OWNER.exec(before);
  if (owner === null || owner[2] === 'kernel') return;
  event.unit = owner[1] ?? '';
  event.device = owner[2] ?? '';
}

/** A fault may be at any address. */
function setAddress(event: TraceEvent, digits: string, cursor: ByteCursor): void {
  const text = new ByteCursor();
  const bytes = bytesOf(digits);
  text.set(bytes, 0, bytes.length);
  readFaultAddress(text, event);
  if (text.failure !== failures.none) cursor.fail(text.failure);
}

function setUnit(event: TraceEvent): void {
  event.unit = event.device;
  event.device = '';
}

/** Entries about a device; the others are about the unit, whose name stands before them then. */
const ABOUT_DEVICE = /PAGE_FAULT/;

function readAmd(text: string, event: TraceEvent, cursor: ByteCursor): boolean {
  const found = amdConsoleEvent(text);
  if (found === undefined) return false;
  const { name, index, device, domain, pasid, flags, address } = found;
  event.name = `amd_${name.toLowerCase()}`;
  if (device !== undefined) event.device = withSegment(device);
  else setOwner(event, text.slice(0, index));
  if (device === undefined && !ABOUT_DEVICE.test(name)) setUnit(event);
  if (domain !== undefined) event.domainId = numberOf(domain, 16, cursor);
  if (pasid !== undefined) event.pasid = numberOf(pasid, 16, cursor);
  if (flags !== undefined) event.code = numberOf(flags, 16, cursor);
  setAddress(event, address, cursor);
  return true;
}

function readDmar(text: string, event: TraceEvent, cursor: ByteCursor): boolean {
  const found = DMAR.exec(text);
  if (found === null) return false;
  const [, type = '', pasid, device = '', oldPasid, address = '', reason = '0'] = found;
  event.name = 'dmar_fault';
  event.type = type;
  event.device = withSegment(device);
  if (pasid !== undefined || oldPasid !== undefined) {
    const value = numberOf(pasid ?? oldPasid, 16, cursor);
    event.pasid = value === NO_PASID ? -1 : value;
  }
  setAddress(event, address, cursor);
  event.code = numberOf(reason, /^0x/i.test(reason) ? 16 : 10, cursor);
  return true;
}

function readFull(text: string, event: TraceEvent, cursor: ByteCursor): boolean {
  const found = FULL.exec(text);
  if (found === null) return false;
  const [, size, total, used] = found;
  event.name = 'swiotlb_full';
  setOwner(event, text.slice(0, found.index));
  event.size = numberOf(size, 10, cursor);
  if (total !== undefined) event.slots = numberOf(total, 10, cursor);
  if (used !== undefined) event.usedSlots = numberOf(used, 10, cursor);
  return true;
}

function setStamp(event: TraceEvent, text: string): void {
  const stamp = STAMP.exec(text);
  if (stamp === null) return;
  event.time = Number(stamp[1]) * 1e9 + Number((stamp[2] ?? '').padEnd(9, '0'));
}

/** Reads the rest of the line as a kernel message; false when it is none of these. The time is set when the line has one. */
export function readConsoleLine(cursor: ByteCursor, event: TraceEvent): boolean {
  const { bytes, at, end } = cursor;
  if (end - at > LONGEST || !holdsWord(bytes, at, end)) return false;
  const text = textOf(bytes, at, end);
  if (!readAmd(text, event, cursor) && !readDmar(text, event, cursor) && !readFull(text, event, cursor))
    return false;
  event.system = 'console';
  event.text = text;
  setStamp(event, text);
  return true;
}

/** True when the line is a message of the kernel log, whatever about: it begins with its time. */
export function isConsoleLine(cursor: ByteCursor): boolean {
  const { bytes, at, end } = cursor;
  cursor.skipSpaces();
  const first = bytes[cursor.at];
  cursor.at = at;
  if (first !== BRACKET && first !== ANGLE) return false;
  return STAMP_AT_START.test(textOf(bytes, at, Math.min(end, at + STAMP_REACH)));
}
