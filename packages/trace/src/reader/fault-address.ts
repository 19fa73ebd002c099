// The address of a fault: the one address in a trace that a device made up, so that it may be anything of 64 bits.
// Source followed: %016llx and %llx of io_page_fault and of the console lines of AMD-Vi and VT-d.
// Simplified: an address that the model's numbers do not hold is kept as text, and its number says only that.

import type { TraceEvent } from '../trace-event.ts';
import { type ByteCursor, failures } from './byte-cursor.ts';
import { textOf } from './text-pool.ts';

/** `dmaAddr` of an event whose address is in `addressText`. */
const IN_TEXT = -2;
/** Digits of 64 bits. */
const LONGEST = 16;

/** Reads hexadecimal digits without 0x; more than 64 bits stay a failure of the cursor. */
export function readFaultAddress(cursor: ByteCursor, event: TraceEvent): void {
  const from = cursor.at;
  const before = cursor.failure;
  event.dmaAddr = cursor.hex();
  if (before !== failures.none || cursor.failure !== failures.absurd) return;
  const digits = textOf(cursor.bytes, from, cursor.at).replace(/^0+/, '').toLowerCase();
  if (digits.length > LONGEST) return;
  cursor.failure = failures.none;
  event.dmaAddr = IN_TEXT;
  event.addressText = `0x${digits}`;
}
