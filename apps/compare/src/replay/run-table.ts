// The tables of a replay: one column a run, then the sizes of the contiguous runs of memory.
// Source followed: the report of each run.
// Simplified: sums over all devices; a row that is zero everywhere is left out.

import type { ReplayReport, ReplayRunReport, RunCost, RunSizeClass } from '@sgfree/roadmap';
import { sizeText } from '../memory-size.ts';
import { type Cell, grouped, numberCell, textTable } from '../text-table.ts';
import type { World } from '../world.ts';

/** A row: its name, and its value for a cost; null = not there in this mode. */
type CostRow = readonly [string, (cost: RunCost) => number | null];

const failures = ({ failed }: RunCost): number =>
  Object.values(failed).reduce((sum, count) => sum + count, 0);

const waitsPerThousand = ({ mapped, invalidations }: RunCost): number =>
  mapped === 0 ? 0 : Math.round((1000 * invalidations.waits) / mapped);

const ENTRIES_WRITTEN = 'page-table entries written';

/** The rows of a cost. */
const COST_ROWS: readonly CostRow[] = [
  ['mappings made', (cost) => cost.mapped],
  ['mappings that failed', failures],
  ['DMA ranges handed out', (cost) => cost.dmaRangesOut],
  ['IOVA allocations', (cost) => cost.iovaAllocations],
  ['  of them from caches', (cost) => cost.iovaFromCaches],
  ['page-table map calls', (cost) => cost.mapCalls],
  ['page-table unmap calls', (cost) => cost.unmapCalls],
  [ENTRIES_WRITTEN, (cost) => cost.entriesWritten],
  ['page-table entries cleared', (cost) => cost.entriesCleared],
  ['pages of tables and queues at most', (cost) => cost.tablePagesPeak],
  ['invalidations of ranges', (cost) => cost.invalidations.page],
  ['invalidations of whole domains', (cost) => cost.invalidations.domain + cost.invalidations.global],
  ['waits for invalidations', (cost) => cost.invalidations.waits],
  ['  per 1,000 mappings', waitsPerThousand],
  ['ranges queued for a later flush', (cost) => cost.flushQueue?.queued ?? null],
  ['  flushes by a full ring', (cost) => cost.flushQueue?.ringFullFlushes ?? null],
  ['  flushes by the timer', (cost) => cost.flushQueue?.timerFlushes ?? null],
  ['  ranges in one ring at most', (cost) => cost.flushQueue?.deepestRing ?? null],
  ['  microseconds exposed, at most', (cost) => exposure(cost, 'longest')],
  ['  microseconds exposed, on average', (cost) => exposure(cost, 'mean')],
  ['most mappings at once', (cost) => cost.peakMappings],
  ['most bytes mapped at once, whole pages', (cost) => cost.peakBytes],
  ['tracking memory taken, bytes', (cost) => cost.tracking.takenBytes],
  ['most tracking memory at once, bytes', (cost) => cost.tracking.peakBytes],
];

const exposure = ({ flushQueue }: RunCost, which: 'longest' | 'mean'): number | null => {
  const window = flushQueue?.exposureMs;
  return window === null || window === undefined ? null : Math.round(window[which] * 1000);
};

/** Heading of a run's column, in two lines. */
export const runHead = ({ stage, mode }: ReplayRunReport): string => `stage ${stage}\n${mode}`;

/** What every run cost, all devices together. */
export function runTable(world: World, { runs }: ReplayReport): string {
  const rows = costRows(runs.map((run) => run.total));
  if (runs.some((run) => run.structPagesTouched > 0)) {
    rows.push(['struct page looked at', ...runs.map((run) => numberCell(run.structPagesTouched))]);
  }
  return textTable(world, ['all devices', ...runs.map(runHead)], rows);
}

/** Leaves by size, where there are others than of 4 KiB: then the number of entries does not say how much is mapped. */
function leafRows(costs: readonly RunCost[]): CostRow[] {
  const sizes = [...new Set(costs.flatMap(({ leavesBySize }) => Object.keys(leavesBySize)))];
  if (sizes.every((size) => size === '4096')) return [];
  return sizes
    .sort((one, next) => Number(one) - Number(next))
    .map(
      (size): CostRow => [
        `  of them leaves of ${sizeText(Number(size))}`,
        ({ leavesBySize }) => leavesBySize[size] ?? 0,
      ],
    );
}

/** The rows, the sizes of leaves below the entries that hold them. */
function rowsFor(costs: readonly RunCost[]): CostRow[] {
  const at = COST_ROWS.findIndex(([name]) => name === ENTRIES_WRITTEN) + 1;
  return [...COST_ROWS.slice(0, at), ...leafRows(costs), ...COST_ROWS.slice(at)];
}

/** One line per row that is not empty, one value per cost. */
export function costRows(costs: readonly RunCost[]): Cell[][] {
  return rowsFor(costs).flatMap(([name, value]) => {
    const values = costs.map(value);
    if (values.every((one) => one === null || one === 0)) return [];
    return [[name, ...values.map(cellOf)]];
  });
}

const cellOf = (value: number | null): Cell =>
  value === null ? { content: '-', hAlign: 'right' } : numberCell(value);

/** How long the physically contiguous runs are. */
export function runSizeTable(world: World, sizes: readonly RunSizeClass[]): string {
  if (sizes.length === 0) return '';
  const all = sizes.reduce((sum, { bytes }) => sum + bytes, 0);
  const rows = sizes.map(({ from, runs, bytes }): Cell[] => [
    { content: `${sizeText(from)} and more`, hAlign: 'right' },
    numberCell(runs),
    numberCell(bytes),
    { content: `${grouped(Math.round((1000 * bytes) / all) / 10)} %`, hAlign: 'right' },
  ]);
  return textTable(world, ['contiguous memory', 'runs', 'bytes', 'share'], rows);
}
