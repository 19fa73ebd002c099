// Guests' address spaces for people: the doors, then one row a revoke. No line of the tables is wider than 120 columns.
// Source followed: the reports; nothing is computed here.
// Simplified: none.

import type { GuestSpaceReport, Verdict } from '@sgfree/roadmap';
import { type Cell, numberCell, spanningCell, stepCell, textTable } from '../text-table.ts';
import type { World } from '../world.ts';
import { doorLines, doorTable, errnoText } from './door-table.ts';
import type { GuestSpacePart, GuestSpaceRow } from './guest-space-part.ts';

const TRIGGER_TEXT: Readonly<Record<GuestSpaceReport['input']['trigger'], string>> = {
  reset: 'VFIO_DEVICE_RESET',
  flr: 'FLR by register',
  'memory-off': 'decoding off, later on',
  close: 'last close',
};
const PLACE_TEXT = { switch: 'below the same switch, redirected', 'host-bridge': 'below another root port' };
const NONE = '-';

const answerText = (errno: number | null): string => (errno === null ? NONE : errnoText(errno));

type Column = readonly [head: string, cell: (report: GuestSpaceReport) => Cell];

/** What a revoke came to. */
const REVOKE_COLUMNS: readonly Column[] = [
  ['access', ({ timings }) => numberCell(timings.lastAccess)],
  ['entries', ({ timings }) => stepCell(timings.entriesGone)],
  ['wait', ({ timings }) => stepCell(timings.waitReturned)],
  ['owner', ({ timings }) => stepCell(timings.ownerDone)],
  ['late', ({ accesses }) => numberCell(accesses.late)],
  ['faults', ({ faultRecords }) => numberCell(faultRecords.length)],
  ['unmapped', ({ unmapped }) => numberCell(unmapped)],
  ['off', ({ importWhileOff }) => answerText(importWhileOff)],
  ['later', ({ importAfter }) => answerText(importAfter)],
  ['RAM', ({ transfers }) => numberCell(transfers.ramAfterRevoke)],
];

/** Everything about the part; ends with a newline. `coloured` paints a verdict. */
export function guestSpaceText(
  world: World,
  part: GuestSpacePart,
  coloured: (verdict: Verdict) => string,
): string {
  const { rows, unredirected, verdict } = part;
  const lines = [
    "stage 7: a guest's address space with RAM and an exported BAR, which is taken back while a device works on both",
    'device:  passed through to the guest, reads and writes by guest addresses through a VT-d unit; every byte is compared',
    'mapping: IOMMU_IOAS_MAP for the RAM, IOMMU_IOAS_MAP_FILE for the dma-buf of a VFIO BAR, by one of the doors:',
    ...doorLines(part),
    'move:    the owner takes a page back, puts its bytes elsewhere, reuses the old place, gives the page out again',
    '',
    doorTable(world, part),
    '',
    'revokes: times are clock steps (bus requests) from the moment the owner begins to take its memory back',
    '  access: last request that reached the BAR; entries: none is left; wait, owner: of the exporter, the call, over',
    '  late: accesses after that wait; faults: records that the host read from the unit, one for each refused transfer',
    '  unmapped: bytes that unmapping the dead area returned; off, later: importing again while decoding is off, and later',
    '  RAM: transfers to the RAM of the guest after the call was over, all of which worked',
    '',
    revokeTable(world, rows),
    '',
    ...rows.flatMap(({ report, verdict: own }) => (own.ok ? [] : [`${runText(report)}: ${own.line}`])),
    coloured(unredirected.verdict),
    coloured(verdict),
  ];
  return `${lines.join('\n')}\n`;
}

function revokeTable(world: World, rows: readonly GuestSpaceRow[]): string {
  const head = ['', 'door', ...REVOKE_COLUMNS.map(([name]) => name)];
  let place = '';
  const body = rows.flatMap(({ report }): Cell[][] => {
    const { input } = report;
    const title = `owner's device ${PLACE_TEXT[input.place]}`;
    const first = input.place === place ? [] : [[spanningCell(title, head.length)]];
    ({ place } = input);
    const cells = REVOKE_COLUMNS.map(([, cell]) => cell(report));
    return [...first, [`  ${TRIGGER_TEXT[input.trigger]}`, input.door, ...cells]];
  });
  return textTable(world, head, body);
}

const runText = ({ input }: GuestSpaceReport): string =>
  `${PLACE_TEXT[input.place]}: ${TRIGGER_TEXT[input.trigger]} by ${input.door}`;
