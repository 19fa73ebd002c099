// The verdict over a replay: whether the model did what it claims. What the trace itself does wrong is a result, no failure.
// Source followed: the project's rule that the verdict line is a function of the report.
// Simplified: none.

import type { Verdict } from '../verdict.ts';
import type { ReplayRunReport } from './replay-report.ts';

/** What a run must not show, and what it is called. */
const FAULTS: readonly (readonly [string, (run: ReplayRunReport) => boolean])[] = [
  ['a translation was wrong', ({ checks }) => checks.wrongCount > 0],
  ['a call of the model broke a rule', ({ checks }) => Object.keys(checks.violations).length > 0],
  [
    'something stayed mapped or allocated',
    ({ checks }) => Object.values(checks.leftovers).some((count) => count !== 0),
  ],
  ['more was cleared than written', ({ total }) => total.entriesCleared > total.entriesWritten],
];

/** Judges all runs. */
export function replayVerdict(runs: readonly ReplayRunReport[]): Verdict {
  const faults = runs.flatMap((run) =>
    FAULTS.filter(([, applies]) => applies(run)).map(([name]) => `stage ${run.stage} ${run.mode}: ${name}`),
  );
  if (faults.length > 0) return { ok: false, line: `FAILED: ${faults.join('; ')}` };
  const looked = runs.reduce((sum, { checks }) => sum + checks.lookedAt + checks.lookedAtAfterUnmap, 0);
  return { ok: true, line: `OK: ${runs.length} runs, ${looked} translations looked at, nothing left behind` };
}
