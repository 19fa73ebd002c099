// Rules of hardware: faults that the unit itself says are not about a mapping.
// Source followed: VT-d specification 7.1.3, AMD I/O Virtualization Technology specification (event log).
// Simplified: one rule for each class of refusal.

import type { BlameCode, BlameReason, BlameRule } from './blame-reason.ts';
import { remark } from './blame-reason.ts';
import type { FaultClass } from './fault-reading.ts';

const REASONS: Readonly<Partial<Record<FaultClass, readonly [BlameCode, string]>>> = {
  interrupt: [
    'interrupt-not-memory',
    'the unit refused an interrupt message of the device, not an access to memory: look at interrupt remapping, not at buffers',
  ],
  'device-entry': [
    'device-not-set-up',
    "the unit found no valid root, context, device or PASID entry: the device is not attached to a domain (yet, or any more), or requests come under another device's number; buffers are not the cause",
  ],
  width: [
    'address-too-wide',
    'the address is wider than the unit translates: a corrupted or sign-extended pointer, or a DMA mask wider than the unit',
  ],
  request: [
    'request-not-allowed',
    'the unit refused the kind of the request (an interrupt, a page request, a request said to be translated already), whatever is mapped: buffers are not the cause',
  ],
  'reverse-map': [
    'reverse-map-refused',
    'the table that says whose memory a page is (of encrypted guests) refuses the access: the page belongs to somebody else, whatever is mapped',
  ],
  timeout: [
    'device-silent',
    'the device did not answer when the unit told it to drop its own translations: it hangs, is in reset or gone. No access was refused, and the address is not that of one',
  ],
  command: [
    'unit-command',
    'the unit could not carry out a command of the driver: no device is involved, and the address is that of the command',
  ],
  table: [
    'malformed-table',
    'the unit could not read a page-table entry or found it malformed: tables were freed, overwritten, or not written back to memory',
  ],
};

const NOT_BUFFERS: readonly FaultClass[] = [
  ...(['interrupt', 'device-entry', 'request', 'reverse-map', 'timeout', 'command'] as const),
];

/** True when the unit itself says that no mapping is to blame, so that guesses about mappings would mislead. */
export const isNotAboutBuffers = (kind: FaultClass): boolean => NOT_BUFFERS.includes(kind);

/** The unit names a cause other than a missing mapping. */
export const refusedByUnit: BlameRule = ({ fault }): BlameReason | undefined => {
  const [code, text] = REASONS[fault.reading.kind] ?? [];
  if (code === undefined || text === undefined) return undefined;
  return {
    code,
    confidence: 'strong',
    text,
    evidence: [remark(`${fault.codeText}: ${fault.reading.words}`)],
  };
};
