// Exchanges with a card's memory for people: what crossed and cost by each way in each place; then what moving the memory came to; then the
// abuses that were counted.
// Source followed: the reports; nothing is computed here but sums and maxima.
// Simplified: none.

import type { GpuExchangeMove, GpuExchangeReport, Verdict } from '@sgfree/roadmap';
import { type Cell, numberCell, textTable } from '../text-table.ts';
import type { World } from '../world.ts';
import type { GpuExchangePart, GpuExchangeRow } from './gpu-exchange-part.ts';

const PLACE_TEXT: Readonly<Record<GpuExchangeReport['input']['place'], string>> = {
  switch: 'below one switch',
  'host-bridge': 'below other root ports',
  refused: 'below a host bridge that Linux does not know',
  mixed: 'below such a bridge, the adapter beside the card',
};
const WAY_TEXT: Readonly<Record<GpuExchangeReport['input']['way'], string>> = {
  'range-list': 'range lists (stage 8)',
  amdgpu: 'tables as amdgpu (today)',
  xe: 'tables as xe (today)',
};
const ERRNO_TEXT: Readonly<Record<number, string>> = { 0: 'given', 22: 'EINVAL', 95: 'EOPNOTSUPP' };

type Column = readonly [head: string, cell: (report: GpuExchangeReport) => Cell];

/** What crossed, what it cost, and which way the data took. */
const COST_COLUMNS: readonly Column[] = [
  ['bytes right', ({ stage }) => numberCell(stage.bytesVerified)],
  ['inside the switch', ({ stage }) => numberCell(stage.fabric.switchLocal.bytes)],
  ['through the host bridge', ({ stage }) => numberCell(stage.fabric.hostBridge.bytes)],
  ['entries', ({ crossed }) => numberCell(crossed.entries)],
  ['of a scatterlist', ({ crossed }) => numberCell(crossed.scatterlistEntries)],
  ['bytes of mappings', ({ crossed }) => numberCell(crossed.bytes)],
  ['IOVA', ({ stage }) => numberCell(stage.total.iovaAllocations)],
  ['table entries', ({ stage }) => numberCell(stage.total.entriesWritten)],
  ['invalidations', ({ stage }) => numberCell(stage.total.invalidationCommands)],
  ['struct page', ({ stage }) => numberCell(stage.total.structPagesTouched)],
  ['VRAM only', ({ vramOnly }) => ERRNO_TEXT[vramOnly.attach] ?? `errno ${vramOnly.attach}`],
];

/** What moving came to. */
const MOVE_COLUMNS: readonly Column[] = [
  ['moves', ({ moves }) => numberCell(moves.length)],
  ['out of VRAM', ({ moves }) => numberCell(moves.filter(({ to }) => to === 'tt').length)],
  ['disk at work', ({ toldAtWork }) => numberCell(toldAtWork)],
  ['page faults', ({ faultsServed }) => numberCell(faultsServed)],
  ['last access', most(({ lastAccess }) => lastAccess)],
  ['wait over', most(({ copyBegan }) => copyBegan)],
  ['moved', most(({ ended }) => ended)],
  ['late', ({ accesses }) => numberCell(accesses.late)],
  ['stray', ({ accesses }) => numberCell(accesses.stray)],
  ['bytes copied', ({ driver }) => numberCell(driver.bytesMoved)],
];

/** Everything about the part; ends with a newline. `coloured` paints a verdict. */
export function gpuExchangeText(
  world: World,
  { rows, verdict }: GpuExchangePart,
  coloured: (verdict: Verdict) => string,
): string {
  const lines = [
    "stage 8: a disk and a peer on the wire exchange data with a GPU's memory, which its driver moves about",
    'peers:    an NVMe disk and an RDMA adapter beside the card; VRAM only: an object that may lie nowhere else',
    'times:    clock steps (bus requests) from the moment the first importer of an object was told that it moves; the slowest move',
    '          late: accesses to the old place after the wait for fences; stray: accesses to memory of nobody or of others',
    ...plantLines(rows),
    '',
    table(world, rows, COST_COLUMNS),
    '',
    table(world, rows, MOVE_COLUMNS),
    '',
    abuseTable(world, rows),
    '',
    ...rows.flatMap(({ report, verdict: own }) => (own.ok ? [] : [`${runText(report)}: ${own.line}`])),
    coloured(verdict),
  ];
  return `${lines.join('\n')}\n`;
}

function plantLines([first]: readonly GpuExchangeRow[]): string[] {
  const plant = first?.report.input.plant;
  return plant === undefined ? [] : [`planted:  ${plant} (a fault put in on purpose)`];
}

function most(figure: (move: GpuExchangeMove) => number | null): (report: GpuExchangeReport) => Cell {
  return ({ moves }) => numberCell(Math.max(0, ...moves.map((move) => figure(move) ?? 0)));
}

const groupText = ({ input }: GpuExchangeReport): string =>
  `peers ${PLACE_TEXT[input.place]}, IOMMU ${input.iommu ? 'on' : 'off'}`;

const runText = (report: GpuExchangeReport): string => `${groupText(report)}: ${WAY_TEXT[report.input.way]}`;

function table(world: World, rows: readonly GpuExchangeRow[], columns: readonly Column[]): string {
  const head = ['', ...columns.map(([name]) => name)];
  let group = '';
  const body = rows.flatMap(({ report }): Cell[][] => {
    const text = groupText(report);
    const first = text === group ? [] : [[text]];
    group = text;
    return [...first, [`  ${WAY_TEXT[report.input.way]}`, ...columns.map(([, cell]) => cell(report))]];
  });
  const filled = body.map((row) => [...row, ...Array.from({ length: head.length - row.length }, () => '')]);
  return textTable(world, head, filled);
}

/** How often each abuse was found, over all runs of a way. */
function abuseTable(world: World, rows: readonly GpuExchangeRow[]): string {
  const counts = new Map<string, Map<string, number>>();
  for (const { report } of rows) {
    for (const [name, count] of Object.entries(report.abuses)) {
      const row = counts.get(name) ?? new Map<string, number>();
      row.set(report.input.way, (row.get(report.input.way) ?? 0) + count);
      counts.set(name, row);
    }
  }
  const ways = [...new Set(rows.map(({ report }) => report.input.way))];
  const body = [...counts].map(([name, row]) => [name, ...ways.map((way) => numberCell(row.get(way) ?? 0))]);
  return textTable(world, ['abuse of the DMA API, seen', ...ways.map((way) => WAY_TEXT[way])], body);
}
