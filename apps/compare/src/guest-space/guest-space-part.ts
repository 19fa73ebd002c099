// The part of `sgfree compare` about a guest's address space, stage 7: RAM and an exported BAR mapped by each of the three doors, a
// passed-through device at work, and every way in which the owner takes the BAR back.
// Source followed: the project's main job at stage 7.
// Simplified: always behind an IOMMU, since a guest's addresses mean nothing without one; the recorded I/O plays no part.

import {
  GUEST_SPACE_DOORS,
  type GuestSpaceDoor,
  type GuestSpaceReport,
  guestSpaceFaults,
  guestSpaceVerdict,
  overallVerdict,
  REVOKE_TRIGGERS,
  runGuestSpace,
  type Verdict,
} from '@sgfree/roadmap';
import type { Progress } from '../progress.ts';

const PLACES = ['switch', 'host-bridge'] as const;

/** One run: the report, and what it says. */
export interface GuestSpaceRow {
  readonly report: GuestSpaceReport;
  readonly verdict: Verdict;
}

/** Everything that was run. */
export interface GuestSpacePart {
  readonly doors: readonly GuestSpaceDoor[];
  /** Place by place, trigger by trigger, door by door. */
  readonly rows: readonly GuestSpaceRow[];
  /** The same below one switch whose ports do not redirect: it must be seen that the switch takes guest addresses for its own. */
  readonly unredirected: GuestSpaceRow;
  readonly verdict: Verdict;
}

/** Runs every trigger by each door, or by `door` alone, in both places. */
export function guestSpacePart(
  { seed, door }: { readonly seed: number; readonly door?: GuestSpaceDoor },
  progress: Progress,
): GuestSpacePart {
  const doors = door === undefined ? GUEST_SPACE_DOORS : [door];
  const inputs = PLACES.flatMap((place) =>
    REVOKE_TRIGGERS.flatMap((trigger) => doors.map((by) => ({ place, trigger, door: by }))),
  );
  const rows = inputs.map((input, index): GuestSpaceRow => {
    // Every door has the same seeds, so that one alone runs as it does beside the others.
    const report = runGuestSpace({ ...input, seed: seed + Math.floor(index / doors.length) });
    progress.step('guest: stage 7', index + 1, inputs.length);
    return { report, verdict: guestSpaceVerdict(report) };
  });
  const unredirected = withoutRedirect(doors[0] ?? 'interconnect', seed);
  return { doors, rows, unredirected, verdict: partVerdict(rows, unredirected) };
}

function withoutRedirect(door: GuestSpaceDoor, seed: number): GuestSpaceRow {
  const report = runGuestSpace({ door, seed, place: 'switch', trigger: 'reset', plant: 'no-redirect' });
  const seen = guestSpaceFaults(report).includes('route');
  const { requests, bytes } = report.fabric.switchLocal;
  const line = seen
    ? `OK: without ACS redirection ${requests} requests (${bytes} bytes) for the guest's RAM are taken inside the switch and reach the BAR: the check sees it`
    : 'FAILED: without ACS redirection no request is taken inside the switch';
  return { report, verdict: { ok: seen, line } };
}

function partVerdict(rows: readonly GuestSpaceRow[], unredirected: GuestSpaceRow): Verdict {
  const overall = overallVerdict([...rows, unredirected].map(({ verdict }) => verdict));
  if (!overall.ok) return overall;
  const reports = rows.map(({ report }) => report);
  const most = (figure: (report: GuestSpaceReport) => number): number => Math.max(...reports.map(figure));
  const faults = reports.reduce((sum, { faultRecords }) => sum + faultRecords.length, 0);
  const lastAccess = most(({ timings }) => timings.lastAccess);
  const slowest = most(({ timings }) => timings.waitReturned ?? 0);
  return {
    ok: true,
    line: `OK: stage 7: ${rows.length} revokes under a passed-through device; last access at most ${lastAccess} clock steps after the start, the exporter's wait over after at most ${slowest}, no byte later; ${faults} refused transfers, each with a fault record, every dead area unmapped in full, the RAM goes on working`,
  };
}

/** The part as it stands in the JSON document. */
export const guestSpaceDocument = ({ doors, rows, unredirected, verdict }: GuestSpacePart): object => ({
  stage: 7,
  doors,
  runs: rows.map(({ report, verdict: own }) => ({ ...report, verdict: own })),
  withoutRedirection: { ...unredirected.report, verdict: unredirected.verdict },
  verdict,
});
