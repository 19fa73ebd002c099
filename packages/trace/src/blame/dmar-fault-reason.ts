// DMAR fault reasons: the code of a VT-d fault record, as the console line prints it, and what kind of refusal it is.
// Source followed: VT-d specification 7.1.3; Linux prints "DMA Read" or "DMA Write" from one bit of the record.
// Simplified: reasons fall in classes; the sentence of the console line says more about a single one.

import { VtdFaultReason as Reason } from '@sgfree/hw-model';
import type { FaultAccess, FaultClass, FaultReading } from './fault-reading.ts';

const WIDTH = [Reason.addressBeyondWidth, 0x74, Reason.notCanonical, Reason.scalableBeyondWidth, 0x84];
/** First and last reason of each class, in order; what lies between is unknown. */
const RANGES: readonly (readonly [number, number, FaultClass])[] = [
  [Reason.rootNotPresent, Reason.contextInvalid, 'device-entry'],
  [Reason.writeNotPermitted, Reason.readNotPermitted, 'translation'],
  [Reason.nextTableUnreadable, Reason.nextTableUnreadable, 'table'],
  [Reason.rootUnreadable, Reason.contextReserved, 'device-entry'],
  [Reason.pagingEntryReserved, Reason.pagingEntryReserved, 'table'],
  [0x0d, 0x0d, 'device-entry'],
  [0x20, 0x26, 'interrupt'],
  [Reason.scalableRootAddress, 0x5d, 'device-entry'],
  [Reason.firstStageUnreadable, Reason.firstStageUnreadable, 'table'],
  [Reason.firstStageNotPresent, Reason.firstStageNotPresent, 'not-mapped'],
  [Reason.firstStageReserved, 0x73, 'table'],
  [0x75, 0x77, 'denied'],
  [Reason.secondStageUnreadable, Reason.secondStageUnreadable, 'table'],
  [Reason.secondStageDenied, Reason.secondStageDenied, 'translation'],
  [Reason.secondStageReserved, 0x7c, 'table'],
  [Reason.userDenied, 0x82, 'denied'],
  [Reason.firstStageWriteDenied, Reason.firstStageReadDenied, 'denied'],
  [0x87, 0x87, 'interrupt'],
  [0x90, 0x90, 'table'],
];
const WORDS: Readonly<Record<FaultClass, string>> = {
  translation: 'no entry, or one without this permission (the unit does not tell the two apart)',
  'not-mapped': 'no entry',
  denied: 'an entry without this permission',
  'device-entry': "the device's root, context or PASID entry",
  table: 'a table entry that cannot be read or is malformed',
  width: 'an address wider than the unit translates',
  interrupt: 'an interrupt, not memory',
  request: 'a kind of request',
  'reverse-map': 'the owner of the memory',
  timeout: 'no answer',
  command: 'a command',
  unknown: 'a reason without a class',
};

/**
 * Reads the reason of a DMAR line. Reasons 5 and 6 name the access themselves; of the others the line's words count.
 * @public
 */
export function dmarReading(reason: number, printed: FaultAccess): FaultReading {
  const kind = classOf(reason);
  const access = printed === 'unknown' ? accessOf(reason) : printed;
  return {
    access,
    kind,
    words: WORDS[kind],
    others: [],
  };
}

function classOf(reason: number): FaultClass {
  if (WIDTH.includes(reason)) return 'width';
  return RANGES.find(([first, last]) => reason >= first && reason <= last)?.[2] ?? 'unknown';
}

function accessOf(reason: number): FaultAccess {
  if (reason === Reason.writeNotPermitted || reason === Reason.firstStageWriteDenied) return 'write';
  if (reason === Reason.readNotPermitted || reason === Reason.firstStageReadDenied) return 'read';
  return 'unknown';
}
