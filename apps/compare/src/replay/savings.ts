// What the runs of a replay say beside each other, in sentences: what lazy mode saves and what it exposes, what
// passthrough saves, what stage 1 saves over stage 0.
// Source followed: the report of each run.
// Simplified: counts only; what a flush or a byte costs depends on the machine.

import type { ReplayMode, ReplayReport, ReplayRunReport, ReplayStage } from '@sgfree/roadmap';
import { grouped } from '../text-table.ts';

/** One sentence for each comparison that the runs allow; nothing when there is none. */
export function savingsText({ runs }: ReplayReport): string {
  if (runs.every(({ total }) => total.mapped === 0)) return '';
  const run = (stage: ReplayStage, mode: ReplayMode) =>
    runs.find((one) => one.stage === stage && one.mode === mode);
  const stage = runs.some((one) => one.stage === 1) ? 1 : 0;
  const strict = run(stage, 'strict');
  const lazy = run(stage, 'lazy');
  const passthrough = run(stage, 'passthrough');
  return [
    ...(strict && lazy ? [lazyText(strict, lazy)] : []),
    ...(strict && passthrough ? [passthroughText(strict, passthrough)] : []),
    ...stagesTexts(runs),
  ].join('\n');
}

function lazyText(strict: ReplayRunReport, lazy: ReplayRunReport): string {
  const before = strict.total.invalidations.waits;
  const after = lazy.total.invalidations.waits;
  const exposed = lazy.total.flushQueue?.exposureMs;
  const window = exposed ? `; unmapped memory stays in reach for up to ${exposed.longest.toFixed(3)} ms` : '';
  return `lazy instead of strict, stage ${lazy.stage}: waits for invalidations ${change(before, after)}${window}`;
}

function passthroughText({ stage, total }: ReplayRunReport, passthrough: ReplayRunReport): string {
  const entries = total.entriesWritten - passthrough.total.entriesWritten;
  const waits = total.invalidations.waits - passthrough.total.invalidations.waits;
  return `passthrough instead of strict, stage ${stage}: page-table entries written ${lower(entries)}, waits ${lower(waits)}; every device reaches all memory`;
}

const lower = (by: number): string => (by === 0 ? 'the same' : `fewer by ${grouped(by)}`);

function stagesTexts(runs: readonly ReplayRunReport[]): string[] {
  const pairs = runs.flatMap((from) => {
    const to = runs.find((one) => from.stage === 0 && one.stage === 1 && one.mode === from.mode);
    return to === undefined ? [] : [stagesText(from, to)];
  });
  const different = pairs.filter((text) => text !== '');
  if (different.length > 0 || pairs.length === 0) return different;
  return ['stage 1 instead of 0: the same tracking memory and waits in every mode'];
}

/** Empty when there is no difference. */
function stagesText(from: ReplayRunReport, to: ReplayRunReport): string {
  const bytes = [from.total.tracking.takenBytes, to.total.tracking.takenBytes] as const;
  const waits = [from.total.invalidations.waits, to.total.invalidations.waits] as const;
  if (bytes[0] === bytes[1] && waits[0] === waits[1]) return '';
  return `stage 1 instead of 0, ${from.mode}: bytes of tracking memory ${change(...bytes)}; waits ${change(...waits)}`;
}

const change = (from: number, to: number): string =>
  from === to ? `${grouped(from)}, the same` : `${grouped(from)} to ${grouped(to)}`;
