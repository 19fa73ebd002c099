// GuestSpaceReport: what a guest's address space with a lent BAR in it did, what each door told iommufd, and what taking back came to.
// Source followed: iommufd's rules for imported buffers: revoked for ever, unmapped in full, imported anew while it is not taken back.
// Simplified: a clock step is a bus request, not time.

import type { StageReport } from '../stage-report.ts';
import type { WorkCounts } from '../work-counts.ts';
import type { GuestSpaceInput } from './guest-space-input.ts';

/**
 * A stretch of guest addresses.
 * @beta
 */
export interface GuestArea {
  /** First guest address, hexadecimal. */
  readonly iova: string;
  readonly bytes: number;
}

/**
 * What the device reads of a buffer: nothing, since it is refused; the buffer's own bytes; those of somebody else who has the place
 * where the buffer was; or none of these.
 * @beta
 */
export type GuestSight = 'nothing' | 'buffer' | 'others' | 'neither';

/**
 * A buffer whose owner takes it back, moves its bytes, lets somebody else have the old place, and gives it out again: what the device
 * reads before that, by the old guest address after it, and there once more when the buffer has been unmapped and mapped anew.
 * @beta
 */
export interface GuestMoveReport {
  readonly before: GuestSight;
  readonly oldArea: GuestSight;
  readonly mappedAnew: GuestSight;
}

/**
 * What importing by the door came to.
 * @beta
 */
export interface GuestDoorReport {
  /** Physical ranges that iommufd was told and holds: for the one range of the buffer, and for a buffer of two. */
  readonly physicalRangesKnown: number;
  readonly physicalRangesKnownOfTwo: number;
  /** Physical ranges of the buffer that iommufd still holds after it was taken back. */
  readonly physicalRangesKept: number;
  /** Mappings that the exporter counts, and waits for when it takes the memory back. */
  readonly mappingsCounted: number;
  /** What mapping the buffer cost, and the bytes of bookkeeping asked for. */
  readonly mapWork: WorkCounts;
  readonly mapAllocatedBytes: number;
  /** A buffer of two ranges that do not adjoin: 0 or the errno of mapping it; bytes read through it, and those wrong. */
  readonly twoRanges: { readonly errno: number; readonly bytesVerified: number; readonly bytesWrong: number };
  /** A buffer that moves, on a machine of its own. */
  readonly move: GuestMoveReport;
}

/**
 * When things happened, in clock steps from the moment the owner began to take the memory back; null = it did not happen.
 * @beta
 */
export interface GuestRevokeTimings {
  /** The last request of the device that reached the memory; 0 = none came after the start. */
  readonly lastAccess: number;
  /** The guest's page table shows the memory no more. */
  readonly entriesGone: number | null;
  /** The exporter's wait returned: from here on nobody may touch the memory. */
  readonly waitReturned: number | null;
  readonly givenOut: number | null;
  readonly ownerDone: number | null;
}

/**
 * A fault as the host read it from the unit.
 * @beta
 */
export interface GuestFault {
  /** The function that made the request. */
  readonly requesterId: number;
  /** Guest address of the page, hexadecimal. */
  readonly page: string;
  readonly write: boolean;
  readonly reason: number;
}

/**
 * The report of one run.
 * @beta
 */
export interface GuestSpaceReport {
  readonly input: Required<Omit<GuestSpaceInput, 'plant'>> & Pick<GuestSpaceInput, 'plant'>;
  /** The figures that every stage has. */
  readonly stage: StageReport;
  readonly ram: GuestArea;
  readonly bar: GuestArea;
  /** Where the memory was mapped anew; null: it could not be. */
  readonly newBar: GuestArea | null;
  /** The passed-through function, as its requests name it. */
  readonly requesterId: number;
  readonly door: GuestDoorReport;
  /** Pages pinned, and pages charged to the user: while mapped, after the revoke, and at the end. */
  readonly pins: {
    readonly ramPages: number;
    readonly pinned: readonly [number, number, number];
    readonly charged: readonly [number, number, number];
  };
  readonly transfers: {
    /** Transfers to RAM, those of them after the owner was through, and refused ones. */
    readonly ram: number;
    readonly ramAfterRevoke: number;
    readonly ramRefused: number;
    /** Transfers to the memory, those that worked before it was taken back, refused ones, and those of the latter that were writes. */
    readonly bar: number;
    readonly barBeforeRevoke: number;
    readonly barRefused: number;
    readonly barWritesRefused: number;
  };
  /** Faults that the unit met. */
  readonly faults: number;
  /** What the host read of them; the unit has room for a single one, so each must be taken out before the next. */
  readonly faultRecords: readonly GuestFault[];
  readonly ownerResult: number;
  readonly timings: GuestRevokeTimings;
  /** What taking back cost until the exporter's wait returned. */
  readonly revokeWork: WorkCounts;
  /** Requests that reached the memory while it was taken back, and after that before it was mapped anew: the latter none. */
  readonly accesses: { readonly during: number; readonly late: number };
  readonly bytesChangedLate: number;
  /** Whether an access by the old guest address worked after all was over; never. */
  readonly oldAreaWorks: boolean;
  /** 0 or the errno of importing again: while the memory was taken back (null: not asked), and after that. */
  readonly importWhileOff: number | null;
  readonly importAfter: number;
  /** Bytes read and written through the new area. */
  readonly newAreaBytes: number;
  /** Unmapping the area of the memory that was taken back: the bytes it returned, or a negative errno. */
  readonly unmapped: number;
  readonly bytesVerified: number;
  readonly bytesWrong: number;
  readonly fabric: StageReport['fabric'];
  readonly violations: readonly string[];
  readonly leftovers: {
    readonly pageTableEntries: number;
    readonly iotlbEntries: number;
    readonly objects: number;
    readonly pinnedPages: number;
    readonly chargedPages: number;
    readonly buffers: number;
    readonly descriptors: number;
    /** References of the disk's registration beyond its own. */
    readonly registrations: number;
    readonly locks: number;
  };
  readonly clockSteps: number;
}
