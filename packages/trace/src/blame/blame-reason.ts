// BlameReason: why a fault may have happened: a rule's answer with its evidence.
// Source followed: none.
// Simplified: three words of confidence; nothing is ever certain, since a trace shows calls and not the hardware.

import type { AddressAlias } from './address-alias.ts';
import type { BounceWatch } from './bounce-watch.ts';
import type { DeviceKin } from './device-kin.ts';
import type { RecordedFault } from './recorded-fault.ts';
import type { Surroundings } from './surroundings.ts';
import type { TracePoint, TracePosition } from './trace-position.ts';

/**
 * How well the trace supports a reason.
 * @public
 */
export type BlameConfidence = 'strong' | 'likely' | 'possible';

/**
 * The rules, by stable code.
 * @public
 */
export type BlameCode =
  | 'interrupt-not-memory'
  | 'request-not-allowed'
  | 'reverse-map-refused'
  | 'device-silent'
  | 'unit-command'
  | 'reserved-range'
  | 'poison-pattern'
  | 'sign-extended'
  | 'kernel-pointer'
  | 'device-not-set-up'
  | 'address-too-wide'
  | 'malformed-table'
  | 'mapping-error-used'
  | 'small-address'
  | 'use-after-free'
  | 'use-after-unmap'
  | 'wrong-direction'
  | 'unmap-race'
  | 'map-race'
  | 'live-but-refused'
  | 'overrun'
  | 'underrun'
  | 'mapped-only-later'
  | 'truncated-to-32-bits'
  | 'physical-address-used'
  | 'bounced-original-used'
  | 'other-device'
  | 'never-mapped'
  | 'mapped-unseen'
  | 'not-traced'
  | 'unknown';

/**
 * One line of the trace, or one number, that speaks for or against a reason. Line and time are -1 when unknown.
 * @public
 */
export interface BlameEvidence {
  readonly line: number;
  readonly time: number;
  readonly text: string;
}

/**
 * A reason.
 * @public
 */
export interface BlameReason {
  readonly code: BlameCode;
  readonly confidence: BlameConfidence;
  readonly text: string;
  readonly evidence: readonly BlameEvidence[];
}

/**
 * What the rules look at.
 * @internal
 */
export interface FaultCase {
  readonly fault: RecordedFault;
  readonly position: TracePosition;
  readonly around: Surroundings;
  /** Other readings of an address that no mapping can have. */
  readonly aliases: readonly AddressAlias[];
  readonly bounces: BounceWatch;
  readonly kin: DeviceKin;
  /** Mappings forgotten so far, events lost so far. */
  readonly forgotten: number;
  readonly lostEvents: number;
  readonly firstTime: number;
  /** Mappings of any device, and of the faulting one, that the trace shows up to now. */
  readonly mappingsSeen: number;
  readonly mappingsOfDevice: number;
}

/**
 * A rule: a reason, or undefined when it does not apply.
 * @internal
 */
export type BlameRule = (one: FaultCase) => BlameReason | undefined;

/** Evidence at a point of the trace. */
export const evidenceAt = (point: TracePoint | undefined, text: string): BlameEvidence => ({
  line: point?.line ?? -1,
  time: point?.time ?? -1,
  text,
});

/** Evidence that is no line. */
export const remark = (text: string): BlameEvidence => ({ line: -1, time: -1, text });

const WEAKER: Readonly<Record<BlameConfidence, BlameConfidence>> = {
  strong: 'likely',
  likely: 'possible',
  possible: 'possible',
};

/** One step weaker when something speaks against. */
export const weakerIf = (against: boolean, confidence: BlameConfidence): BlameConfidence =>
  against ? WEAKER[confidence] : confidence;
