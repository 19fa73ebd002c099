// Revokes for people: one block a variant, one row a region, every time in clock steps from the start of its revoke.
// Source followed: the reports; nothing is computed here. No line of the table is wider than 120 columns.
// Simplified: what a revoke has only once stands in the row of its first region.

import type { RevokeImporterReport, RevokeReport, Verdict } from '@sgfree/roadmap';
import type { PeerVariant } from '../compare-peers.ts';
import { type Cell, grouped, numberCell, spanningCell, stepCell, textTable } from '../text-table.ts';
import { variantText } from '../variant-text.ts';
import type { World } from '../world.ts';
import { hangLines } from './hang-text.ts';
import type { RevokeBlock, RevokePart, RevokeRow } from './revoke-part.ts';

type Trigger = RevokeReport['input']['trigger'];

/** The triggers as the table names them, and what each is. */
const TRIGGERS: Readonly<Record<Trigger, readonly [string, string]>> = {
  reset: ['reset', 'VFIO_DEVICE_RESET'],
  flr: ['FLR', 'a function-level reset through Device Control'],
  'memory-off': ['mem off', 'memory decoding cleared in the command register, set again later'],
  close: ['close', 'the last close of the device'],
};
/** Statuses as people say them. */
const STATUS_TEXT: Readonly<Record<string, string>> = { SUCCESS: 'ok', REM_ACCESS_ERR: 'denied' };
/** Statuses in the column of completions; others are named behind them. */
const COUNTED = ['SUCCESS', 'REM_ACCESS_ERR', 'WR_FLUSH_ERR'];
/** Behind the importers: how they get at the memory, where that differs within a part. */
const OPERATION_TEXT = { table: '', 'range-list': '', deprecated: ' (deprecated)' };
const NONE = '-';
const INDENT = '          ';
const HEADS: Readonly<Record<RevokePart['stage'], string>> = {
  5: 'stage 5: memory taken back under traffic, lent by range list instead of scatterlist',
  6: 'stage 6: memory taken back under traffic',
};

type Column<T> = readonly [string, (of: T) => Cell];

/** A time that says nothing when nobody imported the memory. */
const ifImported = ({ importers }: RevokeReport, steps: number | null): Cell =>
  stepCell(importers.some(({ refused }) => refused === 0) ? steps : null);

/** What a revoke has once. */
const REVOKE_COLUMNS: readonly Column<RevokeReport>[] = [
  ['first\ncall', (report) => ifImported(report, report.timings.calledBack)],
  ['last\naccess', (report) => ifImported(report, report.timings.lastAccess)],
  ['fences\nover', ({ timings }) => stepCell(timings.fencesRetired)],
  ['maps\nback', (report) => ifImported(report, report.timings.mapsReturned)],
  ['wait\nover', ({ timings }) => stepCell(timings.waitReturned)],
  ['given\nout', ({ timings }) => stepCell(timings.givenOut)],
  ['owner\ndone', ({ timings }) => stepCell(timings.ownerDone)],
  ['late', ({ accesses }) => numberCell(accesses.late)],
];

/** What each region has. */
const IMPORTER_COLUMNS: readonly Column<RevokeImporterReport>[] = [
  ['ok/denied/\nflushed', endedText],
  ['then', afterText],
];

const HEAD: readonly string[] = [
  '',
  'importer',
  'in\nflight',
  ...REVOKE_COLUMNS.map(([name]) => name),
  ...IMPORTER_COLUMNS.map(([name]) => name),
];

const LEGEND: readonly string[] = [
  "requests: a peer's RDMA writes and reads through a region over an exported BAR, until the revoke stops them",
  ...Object.values(TRIGGERS).map(([name, text], i) => `${i === 0 ? 'owner:    ' : INDENT}${name} = ${text}`),
  'times:    clock steps (bus requests of both computers) from the moment the owner begins to take its memory back:',
  '          the first importer is called; the last bus request of a peer; the wait for fences is over (RDMA adds none);',
  "          the last mapping is back; the exporter's wait is over; the memory is given out again; the owner's call returns",
  '          - = never, or nobody imported the memory',
  'late:     bus requests that reached the memory after the wait was over and before it was given out again',
  'work:     completions with success / with a remote access error / flushed; then: a further access through the same',
  '          region over a fresh connection (mem off: while decoding is off, and after it is on again)',
];

/** Everything about one part; ends with a newline. `coloured` paints a verdict. */
export function revokeText(
  world: World,
  { stage, blocks, verdict }: RevokePart,
  coloured: (verdict: Verdict) => string,
): string {
  const lines = [
    HEADS[stage],
    ...LEGEND,
    '',
    revokeTable(world, blocks),
    '',
    ...blocks.flatMap(({ variant, rows }) => rows.flatMap((row) => remarks(variant, row))),
    coloured(verdict),
  ];
  return `${lines.join('\n')}\n`;
}

function revokeTable(world: World, blocks: readonly RevokeBlock[]): string {
  const rows = blocks.flatMap(({ variant, rows: own }, index): Cell[][] => [
    ...(index === 0 ? [] : [[spanningCell('', HEAD.length)]]),
    [spanningCell(variantText('device', variant), HEAD.length)],
    ...own.flatMap(({ report }) => revokeRows(report)),
  ]);
  return textTable(world, HEAD, rows);
}

const revokeRows = (report: RevokeReport): Cell[][] =>
  report.importers.map((importer, index) => [
    index === 0 ? `  ${TRIGGERS[report.input.trigger][0]}` : '',
    `${index === 0 ? '' : '+ '}${importer.kind}${OPERATION_TEXT[report.input.op]}`,
    numberCell(importer.inFlight),
    ...REVOKE_COLUMNS.map(([, cell]) => (index === 0 ? cell(report) : '')),
    ...IMPORTER_COLUMNS.map(([, cell]) => cell(importer)),
  ]);

function endedText({ refused, completions }: RevokeImporterReport): string {
  if (refused !== 0) return 'EOPNOTSUPP';
  const counted = COUNTED.map((status) => grouped(completions[status] ?? 0)).join('/');
  const others = Object.entries(completions).filter(([status]) => !COUNTED.includes(status));
  return [counted, ...others.map(([status, count]) => `${grouped(count)} ${status}`)].join(' ');
}

function afterText({ probes }: RevokeImporterReport): string {
  if (probes.length === 0) return NONE;
  return probes.map(({ sameRegion }) => STATUS_TEXT[sameRegion] ?? sameRegion).join('/');
}

/** What a row of numbers does not say: who keeps an owner waiting, and what is wrong. */
function remarks(variant: PeerVariant, { report, verdict }: RevokeRow): string[] {
  const { hang, input } = report;
  const what = `${variantText('device', variant)}: ${TRIGGERS[input.trigger][0]}, ${input.importers.join(' + ')}${OPERATION_TEXT[input.op]}`;
  const hangs = hang === null ? [] : hangLines(what, hang);
  return verdict.ok ? hangs : [...hangs, `${what}: ${verdict.line}`];
}
