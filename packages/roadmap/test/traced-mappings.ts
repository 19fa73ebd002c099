// Mappings made by hand, as a reconstruction gives them, and a replay of them that must prove itself.

import type { TracedMapping, TracedUnmapping } from '@sgfree/trace';
import { ReplayEngine } from '../src/replay/replay-engine.ts';
import type { ReplayMode, ReplayPlan, ReplayStage } from '../src/replay/replay-plan.ts';
import type { ReplayReport, ReplayRunReport } from '../src/replay/replay-report.ts';

export const NIC = '0000:01:00.0';
export const NS_PER_MS = 1e6;

export type Piece = readonly [phys: number, bytes: number];

let nextId = 0;

/** A mapping of these pieces, `at` nanoseconds. */
export function traced(
  kind: TracedMapping['kind'],
  pieces: readonly Piece[],
  at = -1,
  changes: Partial<TracedMapping> = {},
): TracedMapping {
  nextId += 1;
  return {
    kind,
    id: nextId,
    device: NIC,
    deviceFrom: 'recorded',
    direction: 'TO_DEVICE',
    directionFrom: 'recorded',
    attrs: '',
    bytesFrom: 'recorded',
    dmaAddr: 0xfff00000,
    bytes: pieces.reduce((sum, [, length]) => sum + length, 0),
    pieceDma: pieces.map(
      (_, index) => 0xfff00000 + pieces.slice(0, index).reduce((sum, [, length]) => sum + length, 0),
    ),
    piecePhys: pieces.map(([phys]) => phys),
    pieceBytes: pieces.map(([, length]) => length),
    mappedLine: nextId,
    mappedAt: at,
    mappedCpu: 0,
    mappedTask: 'test-1',
    rules: [],
    ...changes,
  };
}

export const end = (at = -1, cpu = 0): TracedUnmapping => ({ line: 0, at, cpu, task: 'test-1' });

/** What a replay says of what `feed` gives it; throws when the replay does not prove itself. */
export function replay(plan: ReplayPlan, feed: (engine: ReplayEngine) => void): ReplayReport {
  const engine = new ReplayEngine(plan);
  feed(engine);
  const report = engine.end();
  if (!report.verdict.ok) throw new Error(report.verdict.line);
  return report;
}

export function runOf(report: ReplayReport, stage: ReplayStage, mode: ReplayMode): ReplayRunReport {
  const run = report.runs.find((one) => one.stage === stage && one.mode === mode);
  if (run === undefined) throw new Error(`no run of stage ${stage}, ${mode}`);
  return run;
}
