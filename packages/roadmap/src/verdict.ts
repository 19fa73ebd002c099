// The verdict: whether a run was right, and what a comparison of runs says. Functions of the reports alone.
// Source followed: the project's rule that the verdict line is a function of the report.
// Simplified: none.

import { EXPORT_CHECKS } from './exported-bar/export-checks.ts';
import { NEGOTIATION_CHECKS } from './exported-bar/negotiation-checks.ts';
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
  ['data took another way than the kernel decided', tookAnotherWay],
  ['requests that cannot be supported were not all refused', wasNotRefused],
  ...EXPORT_CHECKS,
  ...NEGOTIATION_CHECKS,
  [
    'the deprecated operation beside it failed',
    ({ beside }) => beside !== undefined && !verdictOf(beside).ok,
  ],
];

/**
 * The kernel decides by what it knows of the fabric; the fabric goes by its own bits. Both must come to the same, but for
 * addresses that no IOMMU translates: those go where request redirect sends them, whatever else the kernel takes for a redirect.
 */
function tookAnotherWay({ mode, peer, fabric, bytesRead, bytesWritten }: StageReport): boolean {
  if (peer === null) return false;
  const moved = peer.mapType === 'not-supported' ? 0 : bytesRead + bytesWritten;
  const [below, above] = [fabric.switchLocal.bytes, fabric.hostBridge.bytes];
  const turned = below === moved && above === 0;
  const wentUp = above === moved && below === 0;
  if (peer.mapType !== 'thru-host-bridge') return !turned;
  if (mode !== 'direct') return !wentUp;
  if (peer.untranslatedWay === 'either') return !turned && !wentUp;
  return peer.untranslatedWay === 'switch' ? !turned : !wentUp;
}

function wasNotRefused({ peer, exported, requests, ios }: StageReport): boolean {
  if (peer === null) return false;
  const refused = Object.values(peer.refusals).reduce((sum, count) => sum + count, 0);
  const asked = exported === null ? requests : ios - peer.iosLeftOut;
  return refused !== (peer.mapType === 'not-supported' ? asked : 0);
}

/**
 * Judges one run.
 * @public
 */
export function verdictOf(report: StageReport): Verdict {
  const wrong = CHECKS.filter(([, applies]) => applies(report)).map(([name]) => name);
  if (wrong.length === 0 && report.failureCount === 0) {
    return { ok: true, line: `stage ${report.stage}: ${doneText(report)}, nothing left behind` };
  }
  const reasons = wrong.length === 0 ? ['a check failed'] : wrong;
  return { ok: false, line: `stage ${report.stage}: ${reasons.join('; ')}` };
}

function doneText({ peer, bytesVerified }: StageReport): string {
  if (peer?.mapType !== 'not-supported') return `${bytesVerified} bytes moved and right`;
  return `every request refused (${Object.keys(peer.refusals).join(', ')}), no byte moved`;
}

/** Runs that mean the same I/O move the same bytes; where both have a block layer, by the same requests in every class. */
function sameRequests(first: StageReport, second: StageReport): boolean {
  if (first.exported !== null || second.exported !== null) return sameBytes(first, second);
  return REPORT_CLASSES.every(
    (kind) =>
      first.classes[kind].requests === second.classes[kind].requests &&
      first.classes[kind].bytes === second.classes[kind].bytes,
  );
}

const sameBytes = (first: StageReport, second: StageReport): boolean =>
  first.ios === second.ios &&
  first.bytesRead === second.bytesRead &&
  first.bytesWritten === second.bytesWritten &&
  first.peer?.barPagesUsed === second.peer?.barPagesUsed;

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

const NOTHING_RUN: Verdict = { ok: false, line: 'FAILED: no stage was run' };

/** What to say of the first thing that is wrong with runs of the same list; null when nothing is. */
function failureOf(reports: readonly StageReport[]): Verdict | null {
  const bad = reports.map(verdictOf).filter((verdict) => !verdict.ok);
  if (bad.length > 0) return { ok: false, line: `FAILED: ${bad.map((verdict) => verdict.line).join(' | ')}` };
  const [first, ...others] = reports;
  if (first === undefined) return NOTHING_RUN;
  if (others.every((other) => sameRequests(first, other))) return null;
  return { ok: false, line: 'FAILED: the stages did not run the same requests' };
}

function stagesText(reports: readonly StageReport[]): string {
  const stages = reports.map(({ stage }) => stage);
  if (reports.length === 1) return `stage ${stages[0]}`;
  return reports.length === 2
    ? 'both stages'
    : `stages ${stages.slice(0, -1).join(', ')} and ${stages.at(-1)}`;
}

const steps = (values: readonly number[]): string => values.join(' -> ');

/**
 * Judges runs of the same list, in the order of the road, and says what the last stage changed against the first.
 * @public
 */
export function compareVerdict(...reports: readonly StageReport[]): Verdict {
  const failed = failureOf(reports);
  const [from, to] = [reports[0], reports.at(-1)];
  if (failed !== null || from === undefined || to === undefined) return failed ?? NOTHING_RUN;
  const kinds = reports.length === 1 ? [] : REPORT_CLASSES;
  const parts = kinds.map((kind) => describeClass(from, to, kind)).filter((part) => part !== null);
  parts.push(`tracking memory ${steps(reports.map(({ tracking }) => tracking.totalBytes))} bytes`);
  if (reports.length > 2) {
    parts.push(`struct page looked at ${steps(reports.map(({ total }) => total.structPagesTouched))}`);
  }
  return { ok: true, line: `OK: every byte right at ${stagesText(reports)}; ${parts.join('; ')}` };
}

const MAP_TYPE_TEXT = {
  'bus-addr': 'bus addresses, inside the switch',
  'thru-host-bridge': 'through the host bridge',
  'not-supported': 'not supported',
} as const;

const TURNED_TEXT =
  ' for the kernel, but the switch turned data round (its ports do not redirect these requests)';

/** What importers did to the exporter's tables, at the stages that have some. */
function changedEntriesText(reports: readonly StageReport[]): string {
  const exports = reports.flatMap(({ exported }) => (exported === null ? [] : [exported]));
  if (exports.length === 0) return '';
  const changed = `; scatterlist entries changed by RDMA ${steps(exports.map((one) => one.entriesChanged))}`;
  if (exports.every(({ negotiated }) => negotiated === null)) return changed;
  return `${changed}, handed out ${steps(exports.map(({ tableEntries }) => tableEntries))}`;
}

/**
 * Judges runs of the same list with the data in the same peer's BAR, in the order of the road. A pair that the kernel does
 * not support is right when every request is refused and no byte moves.
 * @public
 */
export function comparePeerVerdict(...reports: readonly StageReport[]): Verdict {
  const failed = failureOf(reports);
  if (failed !== null) return failed;
  const peers = reports.flatMap(({ peer }) => (peer === null ? [] : [peer]));
  const [first] = peers;
  if (first === undefined || peers.some(({ mapType }) => mapType !== first.mapType)) {
    return { ok: false, line: 'FAILED: the stages do not agree on the route' };
  }
  const below = reports.map(({ fabric }) => fabric.switchLocal.bytes);
  if (below.some((bytes) => bytes !== below[0])) {
    return { ok: false, line: 'FAILED: the stages did not take the same way' };
  }
  const turned = first.mapType === 'thru-host-bridge' && below[0] !== 0 ? TURNED_TEXT : '';
  const way = `${MAP_TYPE_TEXT[first.mapType]}${turned}`;
  if (first.mapType === 'not-supported') {
    const statuses = peers.map(({ refusals }) => Object.keys(refusals).join(' and ')).join(', ');
    return { ok: true, line: `OK: ${way}: every request refused (block status ${statuses}), no byte moved` };
  }
  const memory = `struct page memory ${steps(peers.map(({ structPageBytes }) => structPageBytes))} bytes`;
  const rest = `${memory}${changedEntriesText(reports)}`;
  return { ok: true, line: `OK: ${way}; every byte right at ${stagesText(reports)}; ${rest}` };
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
  return { ok: true, line: `OK: ${verdicts.length} comparisons, every byte right at every stage of each` };
}
