// Stage 6 for people: one block a variant, one row a revoke, every time in clock steps from its start.
// Source followed: the reports; nothing is computed here.
// Simplified: a revoke from several regions shows the sum of what was under way, and after it the status of each.

import type { RevokeImporterReport, RevokeReport, Verdict } from '@sgfree/roadmap';
import type { PeerVariant } from '../compare-peers.ts';
import { type Cell, grouped, numberCell, textTable } from '../text-table.ts';
import type { World } from '../world.ts';
import type { RevokeBlock, RevokePart, RevokeRow } from './revoke-part.ts';

const TRIGGER_TEXT: Readonly<Record<RevokeReport['input']['trigger'], string>> = {
  reset: 'VFIO_DEVICE_RESET',
  flr: 'reset by register (FLR)',
  'memory-off': 'memory decoding off, later on',
  close: 'last close',
};
const PLACE_TEXT = { switch: 'below the same switch', 'host-bridge': 'below another root port' };
/** Statuses as people say them. */
const STATUS_TEXT: Readonly<Record<string, string>> = {
  SUCCESS: 'ok',
  REM_ACCESS_ERR: 'access error',
  WR_FLUSH_ERR: 'flushed',
};
const NONE = '-';

const statusText = (status: string): string => STATUS_TEXT[status] ?? status;

const stepCell = (steps: number | null): Cell => (steps === null ? NONE : numberCell(steps));
const sum = (values: readonly number[]): number => values.reduce((total, value) => total + value, 0);

/** The columns behind the first two. */
const COLUMNS: readonly (readonly [string, (report: RevokeReport) => Cell])[] = [
  ['under way', ({ importers }) => numberCell(sum(importers.map(({ inFlight }) => inFlight)))],
  ['told', ({ timings }) => stepCell(timings.calledBack)],
  ['last access', ({ timings }) => numberCell(timings.lastAccess)],
  ['fences', ({ timings }) => stepCell(timings.fencesRetired)],
  ['maps back', ({ timings }) => stepCell(timings.mapsReturned)],
  ['wait over', ({ timings }) => stepCell(timings.waitReturned)],
  ['given out', ({ timings }) => stepCell(timings.givenOut)],
  ['owner done', ({ timings }) => stepCell(timings.ownerDone)],
  ['late', ({ accesses }) => numberCell(accesses.late)],
  ['work ended as', ({ importers }) => importers.map(endedText).join(' + ')],
  ['afterwards', ({ importers }) => importers.map(afterText).join(' + ')],
];

/** Everything about stage 6; ends with a newline. `coloured` paints a verdict. */
export function revokeText(
  world: World,
  { blocks, verdict }: RevokePart,
  coloured: (verdict: Verdict) => string,
): string {
  const lines = [
    'stage 6: memory taken back under traffic',
    "requests: a peer's RDMA writes and reads through a region over an exported BAR, until the revoke stops them",
    'times:    clock steps (bus requests of both computers) from the moment the owner begins to take its memory back',
    '          late: accesses after the wait was over; afterwards: a further access through the same region',
    '',
    revokeTable(world, blocks),
    '',
    ...blocks.flatMap(({ variant, rows }) => rows.flatMap((row) => remarks(variant, row))),
    coloured(verdict),
  ];
  return `${lines.join('\n')}\n`;
}

function revokeTable(world: World, blocks: readonly RevokeBlock[]): string {
  const head = ['', 'importer', ...COLUMNS.map(([name]) => name)];
  const rows = blocks.flatMap(({ variant, rows: own }, index): Cell[][] => [
    ...(index === 0 ? [] : [['']]),
    [variantText(variant)],
    ...own.map(({ report }) => revokeRow(report)),
  ]);
  return textTable(
    world,
    head,
    rows.map((row) => [...row, ...Array.from({ length: head.length - row.length }, () => '')]),
  );
}

const revokeRow = (report: RevokeReport): Cell[] => [
  `  ${TRIGGER_TEXT[report.input.trigger]}`,
  report.input.importers.join(' + '),
  ...COLUMNS.map(([, cell]) => cell(report)),
];

const variantText = ({ peer, iommu }: PeerVariant): string =>
  `device ${PLACE_TEXT[peer]}, IOMMU ${iommu ? 'on' : 'off'}`;

function endedText({ refused, completions }: RevokeImporterReport): string {
  if (refused !== 0) return 'refused: EOPNOTSUPP';
  return Object.entries(completions)
    .map(([status, count]) => `${grouped(count)} ${statusText(status)}`)
    .join(', ');
}

function afterText({ probes }: RevokeImporterReport): string {
  return probes.length === 0 ? NONE : probes.map(({ sameRegion }) => statusText(sameRegion)).join(', then ');
}

/** What a row of numbers does not say: who keeps an owner waiting, and what is wrong. */
function remarks(variant: PeerVariant, { report, verdict }: RevokeRow): string[] {
  const { hang, input } = report;
  const what = `${variantText(variant)}: ${TRIGGER_TEXT[input.trigger]} against ${input.importers.join(' + ')}`;
  const hangs = (hang?.holders ?? []).map(
    ({ importer, device, bytes, dmaAddress }) =>
      `${what}: the owner still waited after ${grouped(hang?.waited ?? 0)} steps at "${hang?.ownerAt}", holding ${hang?.holdingLocks.join(', ')}: ${importer} of ${device} keeps ${grouped(bytes)} bytes at ${dmaAddress} mapped`,
  );
  return verdict.ok ? hangs : [...hangs, `${what}: ${verdict.line}`];
}
