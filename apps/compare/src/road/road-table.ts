// RoadTable: every stage of the road in one row of figures each, taken from the reports of runs that were made anyway.
// Source followed: the project's design, "what every stage is judged by".
// Simplified: stages 6 to 8 have traffic of their own: a list of I/O would end where the memory is taken back or moves.

import { leftoverCount, type StageReport, theRoad } from '@sgfree/roadmap';
import type { Shown } from '../compare-json.ts';
import { exchangeRuns, guestRuns, peerRuns, revokeRuns, type StageRun } from './stage-runs.ts';

/** `sizeof(struct scatterlist)` on x86-64. */
const SCATTERLIST_BYTES = 32;

/** Requests on the fabric between peers, by their way. */
export interface RoadRoutes {
  readonly switch: number;
  readonly hostBridge: number;
  readonly refused: number;
}

/** Revokes that hang their owner on purpose. */
export interface RoadHangs {
  readonly runs: number;
  /** Most clock steps from such a revoke to the last access; null = nobody accessed anything. */
  readonly lastAccessSteps: number | null;
}

/** A stage; null = its runs have no such figure. */
export interface RoadColumn {
  readonly stage: number;
  /** The way of mapping, by its report; null = the stage was not run. */
  readonly api: string | null;
  /** Runs that the figures are summed over. */
  readonly runs: number;
  readonly ios: number | null;
  readonly bytesVerified: number | null;
  readonly iovaAllocations: number | null;
  readonly tableEntriesWritten: number | null;
  readonly invalidations: number | null;
  /** Bytes taken over the runs, whole objects. */
  readonly trackingBytes: number | null;
  readonly structPagesTouched: number | null;
  /** Over every place of the peers, with an IOMMU and without: the only figure that is not of the `runs` alone. */
  readonly routes: RoadRoutes | null;
  /** Requests that the fabric refused in the runs. */
  readonly refused: number | null;
  readonly faults: number | null;
  /** Most clock steps from a revoke or a move to the last access; the revokes of `hangs` are left out. */
  readonly revokeWindowSteps: number | null;
  /** Null where no run hangs its owner. */
  readonly hangs: RoadHangs | null;
  /** Entries of scatterlists that were built or crossed. */
  readonly scatterlistEntries: number | null;
  /** Things that stayed behind. */
  readonly left: number | null;
}

/** The whole road. */
export interface RoadTable {
  /** The list whose first I/Os are the stream of stages 0 to 5, how many of it, and their bytes. */
  readonly source: string;
  readonly ios: number;
  readonly bytes: number;
  readonly columns: readonly RoadColumn[];
}

/** The last stage that runs the common stream. */
export const LAST_OF_STREAM = 5;

/** The table over everything that was run; null where the stages had no common stream. */
export function roadTable(shown: Omit<Shown, 'road'>): RoadTable | null {
  const { peers } = shown;
  if (peers === null || peers.comparisons.length === 0) return null;
  const runs = [...peerRuns(peers), ...revokeRuns(shown.revoke), ...guestRuns(shown.guestSpace)];
  const all = [...runs, ...exchangeRuns(shown.gpuExchange)];
  const columns = theRoad.map(({ stage }) =>
    columnOf(
      stage,
      all.filter((run) => run.report.stage === stage),
    ),
  );
  return { source: peers.source, ios: peers.ios, bytes: peers.bytes, columns };
}

function columnOf(stage: number, everywhere: readonly StageRun[]): RoadColumn {
  const runs = everywhere.filter(({ onTheMachine }) => onTheMachine);
  const total = (figure: (report: StageReport, run: StageRun) => number | null): number | null =>
    sum(runs.map((run) => figure(run.report, run)));
  return {
    stage,
    api: runs[0]?.report.title ?? null,
    runs: runs.length,
    ios: total(({ ios }) => ios),
    bytesVerified: total(({ bytesVerified }) => bytesVerified),
    iovaAllocations: total((report) => report.total.iovaAllocations),
    tableEntriesWritten: total((report) => report.total.entriesWritten),
    invalidations: total((report) => report.total.invalidationCommands),
    trackingBytes: total(({ tracking }) => tracking.totalBytes),
    structPagesTouched: total((report) => report.total.structPagesTouched),
    routes: routesOf(everywhere),
    refused: total(({ fabric }) => fabric.refused.requests),
    faults: total(({ iommu }) => iommu.faults),
    revokeWindowSteps: most(windowsOf(runs.filter(({ hangs }) => hangs !== true))),
    hangs: hangsOf(runs.filter(({ hangs }) => hangs === true)),
    scatterlistEntries: total((report, run) => run.scatterlistEntries ?? entriesBuilt(report)),
    left: total(({ leftovers }) => leftoverCount(leftovers)),
  };
}

/** Null where a run does not say: no figure is made up. */
function entriesBuilt({ tracking }: StageReport): number | null {
  const bytes = tracking.byStructure['scatterlist'];
  return bytes === undefined ? null : bytes / SCATTERLIST_BYTES;
}

const windowsOf = (runs: readonly StageRun[]): (number | null)[] =>
  runs.map(({ report }) => report.revokeToLastAccessSteps);

const hangsOf = (runs: readonly StageRun[]): RoadHangs | null =>
  runs.length === 0 ? null : { runs: runs.length, lastAccessSteps: most(windowsOf(runs)) };

function routesOf(runs: readonly StageRun[]): RoadRoutes | null {
  if (runs.length === 0) return null;
  const requests = (way: 'switchLocal' | 'hostBridge' | 'refused'): number =>
    runs.reduce((all, { report }) => all + report.fabric[way].requests, 0);
  return {
    switch: requests('switchLocal'),
    hostBridge: requests('hostBridge'),
    refused: requests('refused'),
  };
}

function sum(figures: readonly (number | null)[]): number | null {
  const known = figures.filter((figure) => figure !== null);
  return known.length < figures.length || known.length === 0 ? null : known.reduce((all, one) => all + one);
}

function most(figures: readonly (number | null)[]): number | null {
  const known = figures.filter((figure) => figure !== null);
  return known.length === 0 ? null : Math.max(...known);
}
