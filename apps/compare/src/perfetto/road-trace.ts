// RoadTrace: a run of every stage as a Perfetto trace: the stages one after the other, below each its devices, its IOMMU, its CPU.
// Source followed: perfetto's trace format; the model's event log.
// Simplified: a clock step (one bus request) is drawn as 1 µs: it has an order, no duration.

import type { FinishedComparison } from '../output/comparison-outputs.ts';
import { StageTracks } from './stage-tracks.ts';
import { STEP_NS } from './trace-time.ts';
import { TraceWriter } from './trace-writer.ts';
import { type TracedRun, tracedRuns } from './traced-runs.ts';

/** Between two stages. */
const GAP_NS: number = 50 * STEP_NS;

/** The trace, and what it was made of. */
export interface RoadTrace {
  readonly bytes: Uint8Array;
  readonly runs: readonly TracedRun[];
}

/** Runs every stage once more and draws it. */
export function roadTrace({ list, shown, options: { seed } }: FinishedComparison): RoadTrace {
  const writer = new TraceWriter();
  const road = writer.track('stages (1 µs = 1 clock step)', writer.group('the road'));
  const runs: TracedRun[] = [];
  let from = 0;
  for (const run of tracedRuns(list, seed, shown)) {
    const { stage, title } = run.report;
    const ends = new StageTracks(writer, run, from).draw();
    writer.begin(road, from, `stage ${stage}: ${title}`);
    writer.end(road, ends);
    from = ends + GAP_NS;
    runs.push(run);
  }
  return { bytes: writer.finish(), runs };
}
