// Blame rules: all rules in the order of their rank among reasons of equal confidence.
// Source followed: none.
// Simplified: a rule sees one fault; patterns over several faults are left to the reader of the stories.

import type { BlameConfidence, BlameReason, BlameRule, FaultCase } from './blame-reason.ts';
import { remark } from './blame-reason.ts';
import { WIDE } from './fault-address.ts';
import { isNotAboutBuffers, refusedByUnit } from './rules-of-hardware.ts';
import {
  liveButRefused,
  mappedUnseen,
  neverMapped,
  notTraced,
  otherDevice,
  overrun,
  underrun,
  wrongDirection,
} from './rules-of-place.ts';
import { mappedOnlyLater, mapRace, unmapRace, usedAfterEnd } from './rules-of-time.ts';
import {
  bouncedOriginalUsed,
  mappingErrorUsed,
  physicalAddressUsed,
  smallAddress,
  truncatedAddress,
} from './rules-of-value.ts';

import {
  interruptRange,
  kernelPointer,
  poisonPattern,
  reservedRange,
  signExtension,
  widerThanAny,
} from './rules-of-wide-address.ts';

const RULES: readonly BlameRule[] = [
  refusedByUnit,
  mappingErrorUsed,
  poisonPattern,
  interruptRange,
  reservedRange,
  wrongDirection,
  usedAfterEnd,
  smallAddress,
  truncatedAddress,
  physicalAddressUsed,
  bouncedOriginalUsed,
  unmapRace,
  overrun,
  mappedOnlyLater,
  underrun,
  otherDevice,
  mapRace,
  liveButRefused,
  mappedUnseen,
  neverMapped,
  notTraced,
];
/** Rules for addresses that no mapping has. */
const WIDE_RULES: readonly BlameRule[] = [
  mappingErrorUsed,
  refusedByUnit,
  poisonPattern,
  interruptRange,
  reservedRange,
  signExtension,
  kernelPointer,
];
/** Rules for faults of which the unit says that mappings are not their cause. */
const UNIT_RULES: readonly BlameRule[] = [refusedByUnit, interruptRange, reservedRange];
/** Rules whose answer does not depend on an access having happened. */
const ASKED_RULES: readonly BlameRule[] = [
  poisonPattern,
  mappingErrorUsed,
  smallAddress,
  truncatedAddress,
  physicalAddressUsed,
  bouncedOriginalUsed,
  otherDevice,
  neverMapped,
  notTraced,
];
const ORDER: readonly BlameConfidence[] = ['strong', 'likely', 'possible'];

/** The reasons for a fault, best first; `unknown` alone when no rule applies. */
export function reasonsFor(one: FaultCase): BlameReason[] {
  const { kind } = one.fault.reading;
  if (isNotAboutBuffers(kind)) return ranked(UNIT_RULES, one);
  if (one.fault.address >= WIDE) return wideReasons(WIDE_RULES, one);
  const found = ranked(RULES, one);
  return found.length === 0 ? [unknownReason(one)] : found;
}

function wideReasons(rules: readonly BlameRule[], one: FaultCase): BlameReason[] {
  const found = ranked(rules, one);
  return found.length === 0 ? ranked([widerThanAny], one) : found;
}

/** What can be said of an address that nobody is known to have used; empty when it has an owner. */
export const askedReasons = (one: FaultCase): BlameReason[] =>
  one.fault.address >= WIDE ? wideReasons(WIDE_RULES, one) : ranked(ASKED_RULES, one);

const ranked = (rules: readonly BlameRule[], one: FaultCase): BlameReason[] =>
  rules
    .map((rule) => rule(one))
    .filter((reason) => reason !== undefined)
    .sort((a, b) => ORDER.indexOf(a.confidence) - ORDER.indexOf(b.confidence));

function unknownReason({ forgotten, lostEvents }: FaultCase): BlameReason {
  const gaps = [
    ...(forgotten > 0
      ? [remark(`${forgotten} ended mappings were forgotten to stay within the history`)]
      : []),
    ...(lostEvents > 0 ? [remark(`${lostEvents} events were lost when the trace was taken`)] : []),
  ];
  const why =
    gaps.length > 0
      ? 'unknown: no remembered mapping covers the address, but a part of the past is missing'
      : 'unknown: the trace does not show a cause';
  return { code: 'unknown', confidence: 'possible', text: why, evidence: gaps };
}
