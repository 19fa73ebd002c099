// RevokeReport: what a revoke under traffic did and how long each part took, in clock steps.
// Source followed: the revoke contract of dma-buf (both waits, then nobody touches the memory); the completion statuses of
// InfiniBand verbs.
// Simplified: a clock step is a bus request, not time; where nothing moves, no step passes.

import type { P2pdmaMapType } from '@sgfree/p2p/stage-2';
import type { StageReport } from '../stage-report.ts';
import type { RevokeImporterKind, RevokeInput } from './revoke-input.ts';
import type { RevokeCrossing } from './revoke-operation.ts';

/**
 * When things happened, in clock steps from the moment the owner began to take the memory back; null = it did not happen.
 * @public
 */
export interface RevokeTimings {
  /** The last bus request of an importer that reached the memory before it was given out again; 0 = none came after. */
  readonly lastAccess: number;
  /** The first importer was told. */
  readonly calledBack: number | null;
  /** The exporter held the reservation and had waited for every fence. */
  readonly fencesRetired: number | null;
  /** The last mapping was given back. */
  readonly mapsReturned: number | null;
  /** The exporter's wait returned: from here on nobody may touch the memory. */
  readonly waitReturned: number | null;
  /** The memory was given out again. */
  readonly givenOut: number | null;
  /** The owner's call returned. */
  readonly ownerDone: number | null;
}

/**
 * How work requests ended, by the name of the status.
 * @public
 */
export type RevokeStatusCounts = Readonly<Record<string, number>>;

/**
 * How an access after the revoke ended: the status of the completion.
 * @public
 */
export interface RevokeProbe {
  /** `while-off`: memory decoding was still off; `after`: the owner's call was over and what it turned off is on again. */
  readonly when: 'while-off' | 'after';
  /** Status of a write through the same region, over a queue pair that was connected anew. */
  readonly sameRegion: string;
  /** 0, or the errno of registering the buffer anew. */
  readonly newRegion: number;
}

/**
 * One region.
 * @public
 */
export interface RevokeImporterReport {
  readonly name: string;
  readonly kind: RevokeImporterKind;
  /** The device as the kernel names it. */
  readonly device: string;
  /** 0, or the errno with which the exporter refused it. */
  readonly refused: number;
  /** Steps from the start of the revoke until its key or its blocks were gone; null = never. */
  readonly stoppedAfter: number | null;
  /** Steps until its mapping was back; null = never. */
  readonly unmappedAfter: number | null;
  readonly posted: number;
  /** Posted and not completed when the revoke started. */
  readonly inFlight: number;
  readonly completions: RevokeStatusCounts;
  /** The statuses do not read: successes, then one refused access, then flushed work. */
  readonly wrongStatuses: number;
  /** Work requests without a completion. */
  readonly missingCompletions: number;
  readonly probes: readonly RevokeProbe[];
}

/**
 * A mapping that somebody still holds.
 * @public
 */
export interface RevokeHolder {
  readonly importer: string;
  readonly device: string;
  readonly requesterId: number;
  /** Part of the buffer, and where the device finds it. */
  readonly offset: number;
  readonly bytes: number;
  /** Hexadecimal. */
  readonly dmaAddress: string;
}

/**
 * An owner that waits for ever.
 * @public
 */
export interface RevokeHang {
  /** Steps waited until the run gave up. */
  readonly waited: number;
  /** `bound`: traffic went on for so many steps; `nothing-left`: nothing was left that could have ended the wait. */
  readonly because: 'bound' | 'nothing-left';
  /** The point at which the owner waits, and the locks it holds there. */
  readonly ownerAt: string;
  readonly holdingLocks: readonly string[];
  readonly holders: readonly RevokeHolder[];
  /** Steps until the owner was through once the holders' regions were deregistered; null = it never was. */
  readonly releasedAfter: number | null;
}

/**
 * What must be zero once everybody has left.
 * @public
 */
export interface RevokeLeftovers {
  readonly mappings: number;
  readonly attachments: number;
  readonly buffers: number;
  readonly descriptors: number;
  /** References of the device's registration beyond its own. */
  readonly registrations: number;
  readonly iovaRanges: number;
  readonly pageTableEntries: number;
  readonly locks: number;
}

/**
 * The report of one run.
 * @public
 */
export interface RevokeReport {
  readonly input: Required<Omit<RevokeInput, 'plant'>> & Pick<RevokeInput, 'plant'>;
  /** The figures that every stage has. */
  readonly stage: StageReport;
  /** How the kernel reaches the memory from the NIC. */
  readonly mapType: P2pdmaMapType;
  readonly importers: readonly RevokeImporterReport[];
  /** What crossed from exporter to importers. */
  readonly crossed: RevokeCrossing;
  /** 0, or the errno of the owner's call. */
  readonly ownerResult: number;
  /** Clock step at which the owner began to take the memory back. */
  readonly startStep: number;
  readonly timings: RevokeTimings;
  readonly accesses: {
    /** Bus requests that reached the memory before the revoke, and from its start until the exporter's wait returned. */
    readonly before: number;
    readonly during: number;
    /** Those after that wait and before the memory was given out again: none may be. */
    readonly late: number;
    /** Requests that the fabric refused: none may be. */
    readonly refused: number;
  };
  /** Bytes of the memory that changed after the exporter's wait had returned: none may. */
  readonly bytesChangedLate: number;
  readonly bytesVerified: number;
  readonly bytesWrong: number;
  readonly fabric: StageReport['fabric'];
  readonly hang: RevokeHang | null;
  /** Rules of the kernel that were broken. */
  readonly violations: readonly string[];
  readonly leftovers: RevokeLeftovers;
  readonly clockSteps: number;
  /** Tasks resumed. */
  readonly schedulerSteps: number;
}
