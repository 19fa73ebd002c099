// What a right run over an exported BAR must show besides what every run must, and what a wrong one is called.
// Source followed: the project's rule that a verdict is a function of the report; include/linux/scatterlist.h and the
// contract of dma_buf_phys_vec_to_sgt for tables without pages.
// Simplified: none.

import type { StageReport } from '../stage-report.ts';
import type { ExportedBarReport } from './exported-bar-report.ts';

type ExportCheck = (exported: ExportedBarReport, report: StageReport) => boolean;

const CHECKS: readonly (readonly [string, ExportCheck])[] = [
  [
    'work requests did not all end well',
    ({ workRequests, completions }) => !allWell(workRequests, completions),
  ],
  [
    'the adapter moved other bytes than it was asked for',
    ({ bytesScattered, bytesGathered }, { bytesRead, bytesWritten, bytesWrong }) =>
      bytesWrong === 0 && (bytesScattered !== bytesRead || bytesGathered !== bytesWritten),
  ],
  ['a table has pages', (exported) => exported.entriesWithoutPage !== exported.tableEntries],
  ['a table shows entries to the processor', ({ cpuEntries }) => cpuEntries !== 0],
  [
    'an importer without a scatterlist inside changed a table',
    ({ importer, entriesChanged }) => importer === 'ranges' && entriesChanged !== 0,
  ],
  ['a table came back other than it went', ({ tablesSpoiled }) => tablesSpoiled !== 0],
  ['entry arrays outlived their tables', ({ entryArrayBytesLeft }) => entryArrayBytesLeft !== 0],
  ['rules of the kernel were broken', ({ violations }) => violations.length > 0],
  ['bytes went to memory instead of the BAR', (_exported, { fabric }) => fabric.memory.bytes !== 0],
];

function allWell(workRequests: number, completions: ExportedBarReport['completions']): boolean {
  const ended = Object.values(completions).reduce((sum, count) => sum + count, 0);
  return ended === workRequests && (completions['SUCCESS'] ?? 0) === workRequests;
}

/** The checks, each with its name; a run without a dma-buf passes all. @internal */
export const EXPORT_CHECKS: readonly (readonly [string, (report: StageReport) => boolean])[] = CHECKS.map(
  ([name, applies]) => [name, (report) => report.exported !== null && applies(report.exported, report)],
);
