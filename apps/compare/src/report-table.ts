// The table of a comparison: one column a stage, one block a class of request, for people.
// Source followed: the stage report; nothing is computed here but differences.
// Simplified: the first stage is what the others are compared with.

import { type ClassReport, REPORT_CLASSES, type ReportClass, type StageReport } from '@sgfree/roadmap';
import { type Cell, grouped, numberCell, textTable } from './text-table.ts';
import type { World } from './world.ts';

const CLASS_TEXT: Readonly<Record<ReportClass, string>> = {
  single: 'one segment',
  'two-step': 'no gap inside: one IOVA range',
  'per-segment': 'gaps inside: pieces that do not meet on page boundaries',
};

const CLASS_ROWS: readonly (readonly [string, (report: ClassReport) => number])[] = [
  ['DMA ranges handed out', (report) => report.dmaRangesOut],
  ['IOVA allocations', (report) => report.iovaAllocations],
  ['map calls', (report) => report.mapCalls],
  ['page-table entries written', (report) => report.entriesWritten],
  ['unmap calls', (report) => report.unmapCalls],
  ['invalidation commands', (report) => report.invalidationCommands],
  ['invalidation waits', (report) => report.invalidationWaits],
  ['tracking memory, bytes', (report) => report.trackingBytes],
  ['struct page looked at', (report) => report.structPagesTouched],
];

const REQUEST_ROWS: readonly (readonly [string, (report: StageReport) => number])[] = [
  ['IOVA allocations', (report) => report.requestWork.iovaAllocations],
  ['map calls', (report) => report.requestWork.mapCalls],
  ['unmap calls', (report) => report.requestWork.unmapCalls],
  ['invalidation commands', (report) => report.requestWork.invalidationCommands],
  ['descriptor pool pages beside them', (report) => report.descriptorPoolPages],
];

const RUN_ROWS: readonly (readonly [string, (report: StageReport) => number])[] = [
  ['bytes read from disk', (report) => report.bytesRead],
  ['bytes written to disk', (report) => report.bytesWritten],
  ['bytes compared', (report) => report.bytesVerified],
  ['bytes wrong', (report) => report.bytesWrong],
  ['DMA ranges handed out', (report) => report.dmaRangesOut],
  ['IOVA allocations', (report) => report.total.iovaAllocations],
  ['page-table entries written', (report) => report.total.entriesWritten],
  ['page-table entries cleared', (report) => report.total.entriesCleared],
  ['invalidation commands', (report) => report.total.invalidationCommands],
  ['invalidation waits', (report) => report.total.invalidationWaits],
  ['flush queue depth', (report) => report.flushQueueDepth],
  ['tracking memory, bytes', (report) => report.tracking.totalBytes],
  ['tracking memory at once, bytes', (report) => report.tracking.peakBytes],
  ['struct page looked at', (report) => report.total.structPagesTouched],
  ['bus requests to memory', (report) => report.fabric.memory.requests],
  ['bus requests refused', (report) => report.fabric.refused.requests],
  ['PRP entries fetched', (report) => report.controller.prpEntriesFetched],
  ['SGL descriptors fetched', (report) => report.controller.sglDescriptorsFetched],
  ['IOTLB misses', (report) => report.iommu.iotlbMisses],
  ['IOMMU faults', (report) => report.iommu.faults],
];

/** The table of all reports, the first of which is the yardstick. */
export function reportTable(world: World, reports: readonly StageReport[]): string {
  const head = ['', ...reports.map((report) => `stage ${report.stage}: ${report.title}`), 'change'];
  const rows: Cell[][] = [];
  for (const kind of REPORT_CLASSES) rows.push(...classRows(reports, kind));
  rows.push([''], ['all requests'], ...numberRows(reports, REQUEST_ROWS));
  rows.push([''], ['the whole run, set-up included'], ...numberRows(reports, RUN_ROWS));
  const width = head.length;
  return textTable(
    world,
    head,
    rows.map((row) => [...row, ...Array.from({ length: width - row.length }, () => '')]),
  );
}

function classRows(reports: readonly StageReport[], kind: ReportClass): Cell[][] {
  const first = reports[0]?.classes[kind];
  if (first === undefined || first.requests === 0) return [];
  const title = `${kind} (${CLASS_TEXT[kind]})`;
  const size = `  ${grouped(first.requests)} requests, ${grouped(first.segments)} segments, ${grouped(first.bytes)} bytes`;
  const classes = reports.map((report) => report.classes[kind]);
  return [[''], [title], [size], ...numberRows(classes, CLASS_ROWS)];
}

/** One row a figure, one column a subject, and the change from the first to the last; null = the subject has no such figure. */
export function numberRows<T>(
  subjects: readonly T[],
  rows: readonly (readonly [string, (subject: T) => number | null])[],
): Cell[][] {
  return rows.map(([name, value]) => {
    const values = subjects.map(value);
    const cells = values.map((each): Cell => (each === null ? NO_FIGURE : numberCell(each)));
    return [`  ${name}`, ...cells, change(values.filter((each) => each !== null))];
  });
}

const NO_FIGURE: Cell = { content: '-', hAlign: 'right' };

/** From the first value to the last; nothing to say of a single one. */
function change(values: readonly number[]): Cell {
  const from = values[0] ?? 0;
  const to = values.at(-1) ?? 0;
  if (values.length < 2) return '';
  if (from === to) return 'same';
  const difference = to - from;
  return `${difference > 0 ? '+' : '-'}${grouped(Math.abs(difference))}`;
}
