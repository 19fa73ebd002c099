// The part of `sgfree compare` about stage 8: a disk and a peer on the wire exchange data with a graphics card's memory in every place, by
// range lists, and beside it by the tables of today's exporters, while the card's driver moves the memory about.
// Source followed: the project's main job at stage 8.
// Simplified: the recorded I/O plays no part: objects of a card are no buffers of a caller.

import {
  GPU_EXCHANGE_PLACES,
  GPU_EXCHANGE_WAYS,
  type GpuExchangePlant,
  type GpuExchangeReport,
  gpuExchangeVerdict,
  overallVerdict,
  runGpuExchange,
  type Verdict,
} from '@sgfree/roadmap';
import type { Progress } from '../progress.ts';

/** One run: the report, and what it says. */
export interface GpuExchangeRow {
  readonly report: GpuExchangeReport;
  readonly verdict: Verdict;
}

/** Everything that was run, place by place, with and without IOMMU, way by way. */
export interface GpuExchangePart {
  readonly rows: readonly GpuExchangeRow[];
  readonly verdict: Verdict;
}

/** Runs every way in every place, each with the fault `plant` if there is one. */
export function gpuExchangePart(
  { seed, plant }: { readonly seed: number; readonly plant?: GpuExchangePlant },
  progress: Progress,
): GpuExchangePart {
  const planted = plant === undefined ? {} : { plant };
  const inputs = GPU_EXCHANGE_PLACES.flatMap((place) =>
    [true, false].flatMap((iommu) => GPU_EXCHANGE_WAYS.map((way) => ({ place, iommu, way }))),
  );
  const rows = inputs.map((input, index): GpuExchangeRow => {
    // Every way has the same seeds, so that the tables stand beside the lists.
    const report = runGpuExchange({
      ...input,
      ...planted,
      seed: seed + Math.floor(index / GPU_EXCHANGE_WAYS.length),
    });
    progress.step('GPU: stage 8', index + 1, inputs.length);
    return { report, verdict: gpuExchangeVerdict(report) };
  });
  return { rows, verdict: partVerdict(rows) };
}

/** How many abuses were found over all runs of `reports`. */
export const abusesIn = (reports: readonly GpuExchangeReport[]): number =>
  reports.reduce(
    (sum, { abuses }) => sum + Object.values(abuses).reduce((found, count) => found + count, 0),
    0,
  );

function partVerdict(rows: readonly GpuExchangeRow[]): Verdict {
  const overall = overallVerdict(rows.map(({ verdict }) => verdict));
  if (!overall.ok) return overall;
  const reports = rows.map(({ report }) => report);
  const [lists, tables] = [true, false].map((now) =>
    reports.filter(({ input }) => (input.way === 'range-list') === now),
  ) as [GpuExchangeReport[], GpuExchangeReport[]];
  const sum = (of: readonly GpuExchangeReport[], figure: (report: GpuExchangeReport) => number): number =>
    of.reduce((total, report) => total + figure(report), 0);
  const bytes = sum(reports, ({ stage }) => stage.bytesVerified);
  const moves = sum(reports, (report) => report.moves.length);
  const last = Math.max(...reports.map(({ stage }) => stage.revokeToLastAccessSteps ?? 0));
  const entries = (of: readonly GpuExchangeReport[]): number =>
    sum(of, ({ crossed }) => crossed.scatterlistEntries);
  return {
    ok: true,
    line: `OK: stage 8: ${reports.length} exchanges, ${bytes} bytes right; ${moves} moves under traffic, last access at most ${last} clock steps after an importer was told, none after the wait; scatterlist entries ${entries(tables)} -> ${entries(lists)}, abuses of the DMA API ${abusesIn(tables)} -> ${abusesIn(lists)}`,
  };
}

/** The part as it stands in the JSON document. */
export const gpuExchangeDocument = ({ rows, verdict }: GpuExchangePart): object => ({
  stage: 8,
  runs: rows.map(({ report, verdict: own }) => ({ ...report, verdict: own })),
  verdict,
});
