// The verdict: whether a run was right, and what a comparison of runs says. Functions of the reports alone.
// Source followed: the project's rule that the verdict line is a function of the report.
// Simplified: none.

import {
  type ClassReport,
  leftoverCount,
  REPORT_CLASSES,
  type ReportClass,
  type StageReport,
} from './stage-report.ts';

/**
 * A judgement and the one line that gives it.
 * @public
 */
export interface Verdict {
  readonly ok: boolean;
  readonly line: string;
}

/** What a right run must show, and what a wrong one is called. */
const CHECKS: readonly (readonly [string, (report: StageReport) => boolean])[] = [
  ['a request failed', (report) => report.failures.some((failure) => failure.kind === 'request')],
  ['the controller did not come up', (report) => report.failures.some((failure) => failure.kind === 'probe')],
  ['the fault found no place', (report) => report.failures.some((failure) => failure.kind === 'plant')],
  ['wrong bytes', (report) => report.bytesWrong > 0],
  ['bytes were not compared', (report) => report.bytesVerified !== report.bytesRead + report.bytesWritten],
  ['the IOMMU blocked the device', (report) => report.iommu.faults > 0],
  ['the fabric refused the device', (report) => report.fabric.refused.requests > 0],
  ['the controller reported errors', (report) => report.controller.errors > 0],
  ['something stayed mapped or allocated', (report) => leftoverCount(report.leftovers) > 0],
  [
    'entries written and cleared differ',
    (report) => report.total.entriesWritten !== report.total.entriesCleared,
  ],
];

/**
 * Judges one run.
 * @public
 */
export function verdictOf(report: StageReport): Verdict {
  const wrong = CHECKS.filter(([, applies]) => applies(report)).map(([name]) => name);
  if (wrong.length === 0 && report.failureCount === 0) {
    return {
      ok: true,
      line: `stage ${report.stage}: ${report.bytesVerified} bytes moved and right, nothing left behind`,
    };
  }
  const reasons = wrong.length === 0 ? ['a check failed'] : wrong;
  return { ok: false, line: `stage ${report.stage}: ${reasons.join('; ')}` };
}

/** Runs that mean the same I/O have the same requests in every class. */
function sameRequests(first: StageReport, second: StageReport): boolean {
  return REPORT_CLASSES.every(
    (kind) =>
      first.classes[kind].requests === second.classes[kind].requests &&
      first.classes[kind].bytes === second.classes[kind].bytes,
  );
}

/** The IOMMU's side of a class: what can make one stage dearer than another there. */
const IOMMU_WORK = [
  'iovaAllocations',
  'mapCalls',
  'entriesWritten',
  'unmapCalls',
  'invalidationCommands',
  'invalidationWaits',
] as const;

function comparedWork(before: ClassReport, after: ClassReport): 'same' | 'more' | 'less' | 'different' {
  const changes = IOMMU_WORK.map((field) => Math.sign(after[field] - before[field]));
  if (changes.every((change) => change === 0)) return 'same';
  if (changes.every((change) => change >= 0)) return 'more';
  return changes.every((change) => change <= 0) ? 'less' : 'different';
}

function describeClass(from: StageReport, to: StageReport, kind: ReportClass): string | null {
  const before = from.classes[kind];
  const after = to.classes[kind];
  if (before.requests === 0) return null;
  const name = `${before.requests} ${kind} request${before.requests === 1 ? '' : 's'}`;
  const work = comparedWork(before, after);
  if (work === 'same') return `${name}: same IOMMU work`;
  return `${name}: ${work} IOMMU work (${before.invalidationCommands} -> ${after.invalidationCommands} invalidations)`;
}

/**
 * Judges two runs of the same list and says what the later stage changed.
 * @public
 */
export function compareVerdict(from: StageReport, to: StageReport): Verdict {
  const bad = [from, to].map(verdictOf).filter((verdict) => !verdict.ok);
  if (bad.length > 0) return { ok: false, line: `FAILED: ${bad.map((verdict) => verdict.line).join(' | ')}` };
  if (!sameRequests(from, to)) return { ok: false, line: 'FAILED: the stages did not run the same requests' };
  const parts = REPORT_CLASSES.map((kind) => describeClass(from, to, kind)).filter((part) => part !== null);
  const memory = `tracking memory ${from.tracking.totalBytes} -> ${to.tracking.totalBytes} bytes`;
  return { ok: true, line: `OK: every byte right at both stages; ${[...parts, memory].join('; ')}` };
}

/**
 * The last line over several comparisons; over one it is that comparison's own verdict.
 * @public
 */
export function overallVerdict(verdicts: readonly Verdict[]): Verdict {
  const [only] = verdicts;
  if (only !== undefined && verdicts.length === 1) return only;
  const failed = verdicts.filter((verdict) => !verdict.ok).length;
  if (verdicts.length === 0 || failed > 0) {
    return { ok: false, line: `FAILED: ${failed} of ${verdicts.length} comparisons failed` };
  }
  return { ok: true, line: `OK: ${verdicts.length} comparisons, every byte right at both stages of each` };
}
