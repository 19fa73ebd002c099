// AMD-Vi fault flags: the 12 bits of an IO_PAGE_FAULT entry in the event log, as the console line prints them.
// Source followed: AMD I/O Virtualization Technology specification, event log entries.
// Simplified: GN, US and NX change nothing here; they are only named.

import type { FaultReading } from './fault-reading.ts';

const NAMES = ['GN', 'NX', 'US', 'I', 'PR', 'RW', 'PE', 'RZ', 'TR'] as const;
const INTERRUPT = 0x008;
const PRESENT = 0x010;
const WRITE = 0x020;
const PERMISSION = 0x040;
const RESERVED = 0x080;

/**
 * The names of the bits that are set, joined by `|`; `none` when there are none. Bits without a name are shown as hex.
 * @public
 */
export function amdFlagBits(flags: number): string {
  const names: string[] = NAMES.filter((_name, bit) => (flags & (1 << bit)) !== 0);
  const rest = flags & ~0x1ff;
  if (rest !== 0) names.push(`0x${(rest >>> 0).toString(16)}`);
  return names.length === 0 ? 'none' : names.join('|');
}

/**
 * Reads the flags of an AMD-Vi IO_PAGE_FAULT line.
 * @public
 */
export function amdFlagsReading(flags: number): FaultReading {
  if ((flags & INTERRUPT) !== 0) {
    return { access: 'unknown', kind: 'interrupt', words: 'an interrupt request, not memory', others: [] };
  }
  const access = (flags & WRITE) === 0 ? 'read' : 'write';
  return { access, others: [], ...memoryReading(flags, access) };
}

function memoryReading(flags: number, access: 'read' | 'write'): Pick<FaultReading, 'kind' | 'words'> {
  if ((flags & RESERVED) !== 0) {
    return { kind: 'table', words: `${access}; a table entry has reserved bits or an invalid level` };
  }
  if ((flags & PRESENT) === 0) {
    return { kind: 'not-mapped', words: `${access}; no translation was present` };
  }
  if ((flags & PERMISSION) !== 0) {
    return { kind: 'denied', words: `${access}; a translation was present and refuses it` };
  }
  return { kind: 'translation', words: `${access}; a translation was present, no refusal flagged` };
}
