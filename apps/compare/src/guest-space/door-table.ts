// The doors side by side, for people: what each tells iommufd, what it can express and what it costs. One column a door.
// Source followed: the reports; figures that may differ from run to run are summed over the runs of a door.
// Simplified: what mapping costs is taken from a door's first run: it is the same in every run.

import type { GuestSight, GuestSpaceDoor, GuestSpaceReport } from '@sgfree/roadmap';
import { type Cell, numberCell, spanningCell, textTable } from '../text-table.ts';
import type { World } from '../world.ts';
import type { GuestSpacePart } from './guest-space-part.ts';

/** What stands behind each door. */
const DOOR_TEXT: Readonly<Record<GuestSpaceDoor, string>> = {
  interconnect: 'vfio_pci_dma_buf_iommufd_map(): one physical range, without a reference (Linux 7.3.4)',
  pal: 'mapping type "Physical Address List": a list that is borrowed and given back (RFC)',
  converter: 'the core writes the entries; iommufd passes its domain and sees no address (review of the RFC)',
};
const ERRNO_TEXT: Readonly<Record<number, string>> = { 0: 'works', 19: 'ENODEV', 95: 'EOPNOTSUPP' };

/** An answer of the kernel. */
export const errnoText = (errno: number): string => ERRNO_TEXT[errno] ?? `errno ${errno}`;

/** One line for each door. */
export const doorLines = ({ doors }: GuestSpacePart): string[] =>
  doors.map((door) => `  ${door.padEnd(14)}${DOOR_TEXT[door]}`);

type Row = readonly [name: string, cell: (first: GuestSpaceReport, all: readonly GuestSpaceReport[]) => Cell];

const rightCell = (content: string): Cell => ({ content, hAlign: 'right' });
const sumOf = (all: readonly GuestSpaceReport[], figure: (report: GuestSpaceReport) => number): Cell =>
  numberCell(all.reduce((sum, report) => sum + figure(report), 0));

const GROUPS: readonly (readonly [title: string, rows: readonly Row[]])[] = [
  [
    'exposes: physical ranges that iommufd holds',
    [
      ['of a buffer of one range', ({ door }) => numberCell(door.physicalRangesKnown)],
      ['of a buffer of two ranges', ({ door }) => numberCell(door.physicalRangesKnownOfTwo)],
      ['after the revoke, all runs', (_, all) => sumOf(all, ({ door }) => door.physicalRangesKept)],
    ],
  ],
  [
    'expresses',
    [
      ['two ranges that do not adjoin', ({ door }) => rightCell(errnoText(door.twoRanges.errno))],
      ['  bytes that the device read there', ({ door }) => numberCell(door.twoRanges.bytesVerified)],
      ['revoke: accesses after it, all runs', (_, all) => sumOf(all, ({ accesses }) => accesses.late)],
      ['revoke: the old area works when given out', (_, all) => rightCell(comesBack(all))],
      ['move: by the old address the device reads', (_, all) => sightCell(all, ({ oldArea }) => oldArea)],
      ['  mapped anew at that address', (_, all) => sightCell(all, ({ mappedAnew }) => mappedAnew)],
    ],
  ],
  [
    'costs',
    [
      ['mappings that a revoke waits for', ({ door }) => numberCell(door.mappingsCounted)],
      ['to map: bytes asked of the allocator', ({ door }) => numberCell(door.mapAllocatedBytes)],
      ['  page-table entries written', ({ door }) => numberCell(door.mapWork.entriesWritten)],
      ['  invalidation commands', ({ door }) => numberCell(door.mapWork.invalidationCommands)],
      ['to revoke: page-table entries cleared', ({ revokeWork }) => numberCell(revokeWork.entriesCleared)],
      ['  invalidation commands', ({ revokeWork }) => numberCell(revokeWork.invalidationCommands)],
      ['  waits for the hardware', ({ revokeWork }) => numberCell(revokeWork.invalidationWaits)],
    ],
  ],
];

/** What a device reads of a buffer that was moved. */
const SIGHT_TEXT: Readonly<Record<GuestSight, string>> = {
  nothing: 'nothing',
  buffer: 'its new place',
  others: 'its old place',
  neither: 'neither place',
};

/** In all runs, each sight once. */
const sightCell = (
  all: readonly GuestSpaceReport[],
  sight: (move: GuestSpaceReport['door']['move']) => GuestSight,
): Cell => rightCell([...new Set(all.map(({ door }) => SIGHT_TEXT[sight(door.move)]))].join(', '));

const comesBack = (all: readonly GuestSpaceReport[]): string =>
  all.some(({ oldAreaWorks }) => oldAreaWorks) ? 'yes' : 'no';

/** The table, without trailing newline. */
export function doorTable(world: World, { doors, rows }: GuestSpacePart): string {
  const reports = doors.map((door) =>
    rows.map(({ report }) => report).filter(({ input }) => input.door === door),
  );
  const body = GROUPS.flatMap(([title, lines]): Cell[][] => [
    [spanningCell(title, doors.length + 1)],
    ...lines.map(([name, cell]): Cell[] => [
      `  ${name}`,
      ...reports.flatMap((all) => (all[0] === undefined ? [] : [cell(all[0], all)])),
    ]),
  ]);
  return textTable(world, ['', ...doors], body);
}
