// StageRuns: the runs behind the columns of the road table, whatever part of the comparison they belong to.
// Source followed: none.
// Simplified: the table shows machines with an IOMMU and peers on two root ports alone, since everything is translated there.

import type { GuestSpaceDoor, StageReport } from '@sgfree/roadmap';
import type { PeerComparisons } from '../compare-peers.ts';
import type { GpuExchangePart } from '../gpu-exchange/gpu-exchange-part.ts';
import type { GuestSpacePart } from '../guest-space/guest-space-part.ts';
import type { RevokePart } from '../revoke/revoke-part.ts';

/** The way of connecting the peers that the figures of the table are from. */
export const ROAD_MACHINE = 'host-bridge-iommu';

/** The door of stage 7 that stands in the table if it was run: the one through the new operation. */
export const ROAD_DOOR: GuestSpaceDoor = 'pal';

/** A run of a stage. */
export interface StageRun {
  readonly report: StageReport;
  /** True on a machine connected as {@link ROAD_MACHINE} says; the others count only where routes do. */
  readonly onTheMachine: boolean;
  /** Entries of scatterlists that crossed, where a report says more than its tracking memory. */
  readonly scatterlistEntries?: number;
  /** True: an importer makes the owner wait on purpose, so that the time to the last access is the length of the traffic. */
  readonly hangs?: boolean;
}

/** Stages 0 to 5: the recorded I/O with its data in a peer. */
export const peerRuns = ({ comparisons }: PeerComparisons): StageRun[] =>
  comparisons.flatMap(({ variant, reports }) =>
    reports.map((report) => ({ report, onTheMachine: variant.key === ROAD_MACHINE })),
  );

/** Stage 6: every cast. */
export const revokeRuns = (part: RevokePart | null): StageRun[] =>
  (part?.blocks ?? []).flatMap(({ variant, rows }) =>
    rows.map(({ report: { stage, crossed, hang } }) => ({
      report: stage,
      onTheMachine: variant.key === ROAD_MACHINE,
      scatterlistEntries: crossed.tableEntries,
      hangs: hang !== null,
    })),
  );

/** Stage 7: every way of taking the memory back, by one door. */
export function guestRuns(part: GuestSpacePart | null): StageRun[] {
  const shown = part?.doors.includes(ROAD_DOOR) === true ? ROAD_DOOR : part?.doors[0];
  return (part?.rows ?? [])
    .filter(({ report }) => report.input.door === shown)
    .map(({ report: { stage, input } }) => ({
      report: stage,
      onTheMachine: input.place === 'host-bridge',
    }));
}

/** Stage 8: the exchange by range lists. */
export const exchangeRuns = (part: GpuExchangePart | null): StageRun[] =>
  (part?.rows ?? [])
    .filter(({ report }) => report.input.way === 'range-list')
    .map(({ report: { stage, input, crossed } }) => ({
      report: stage,
      onTheMachine: input.place === 'host-bridge' && input.iommu,
      scatterlistEntries: crossed.scatterlistEntries,
    }));
