// BlameStory: all that a trace says about one fault, or about an address that somebody asks about.
// Source followed: none.
// Simplified: one owner is named, the best candidate; the others stand in the surroundings.

import type { BlameCode, BlameReason } from './blame-reason.ts';
import type { FaultTelling } from './fault-group.ts';
import type { MappingSighting } from './mapping-sighting.ts';
import type { RecordedFault } from './recorded-fault.ts';
import type { Surroundings } from './surroundings.ts';
import type { TracePoint } from './trace-position.ts';

/**
 * A remark beside the reasons, by stable code.
 * @public
 */
export interface BlameNote {
  readonly code:
    | 'lazy-window'
    | 'flush-mode-unknown'
    | 'page-only'
    | 'no-device'
    | 'owner-unnamed'
    | 'other-devices-here'
    | 'history-forgotten'
    | 'events-lost'
    | 'placed-by-line'
    | 'more-mappings';
  readonly text: string;
}

/**
 * One story. Addresses are plain numbers, times nanoseconds (-1 unknown).
 * @public
 */
export interface BlameStory {
  /** The first fault of the group. */
  readonly fault: RecordedFault;
  /** Faults in the story; 0 for an address that is only asked about. */
  count: number;
  readonly tellings: FaultTelling[];
  first: TracePoint;
  last: TracePoint;
  addressLow: number;
  addressHigh: number;
  /** The same, exact whatever they are. */
  addressLowText: string;
  addressHighText: string;
  /** The best candidate: the device's own mapping or one of an unnamed device. */
  owner: MappingSighting | undefined;
  around: Surroundings;
  /** Best first. */
  reasons: readonly BlameReason[];
  notes: readonly BlameNote[];
}

/** The code of the best reason. */
export const leadingCode = (story: BlameStory): BlameCode => story.reasons[0]?.code ?? 'unknown';
