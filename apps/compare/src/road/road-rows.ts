// RoadRows: the road table line by line, as text table and page both show it.
// Source followed: none.
// Simplified: none.

import { counted } from '../counted.ts';
import { grouped } from '../text-table.ts';
import type { RoadColumn, RoadTable } from './road-table.ts';

/** A line: its name, its cells stage by stage. */
export interface RoadRow {
  readonly name: string;
  readonly cells: readonly string[];
}

type Figure = {
  [Name in keyof RoadColumn]: RoadColumn[Name] extends number | null ? Name : never;
}[keyof RoadColumn];

const NONE = '-';
const FIGURES: readonly (readonly [string, Figure])[] = [
  ['runs', 'runs'],
  ['I/Os', 'ios'],
  ['bytes verified', 'bytesVerified'],
  ['IOVA allocations', 'iovaAllocations'],
  ['table entries written', 'tableEntriesWritten'],
  ['invalidations', 'invalidations'],
  ['tracking memory, bytes', 'trackingBytes'],
  ['struct page touched', 'structPagesTouched'],
];
const LAST_FIGURES: typeof FIGURES = [
  ['requests refused', 'refused'],
  ['faults', 'faults'],
  ['revoke window, steps, no hung owner', 'revokeWindowSteps'],
  ['scatterlist entries', 'scatterlistEntries'],
  ['left behind', 'left'],
];
const ROUTES = [
  ['by the switch', 'switch'],
  ['by the host bridge', 'hostBridge'],
  ['refused', 'refused'],
] as const;

/** All lines below the one that names the stages. */
export function roadRows({ columns }: RoadTable): RoadRow[] {
  const row = (name: string, cell: (column: RoadColumn) => string | number | null): RoadRow => ({
    name,
    cells: columns.map((column) => shown(cell(column))),
  });
  const figures = (rows: typeof FIGURES): RoadRow[] =>
    rows.map(([name, figure]) => row(name, (column) => column[figure]));
  return [
    row('API used', ({ api }) => api),
    ...figures(FIGURES),
    ...ROUTES.map(([name, way]) =>
      row(`requests ${name}, all places`, ({ routes }) => routes?.[way] ?? null),
    ),
    ...figures(LAST_FIGURES),
  ];
}

const shown = (value: string | number | null): string =>
  typeof value === 'number' ? grouped(value) : (value ?? NONE);

/** What the columns are, sentence by sentence. */
export const roadNotes = ({ source, ios, bytes, columns }: RoadTable): string[] => [
  `stages 0 to 5 run one stream, the first I/Os of ${source}: ${counted(ios, 'I/O')}, ${grouped(bytes)} bytes, data in a peer's BAR`,
  'stages 6 to 8 run traffic of their own, which is not to be compared with that: stage 6 lends the BAR to RDMA importers and takes it back under their transfers; stage 7 lets a guest map RAM and the BAR, and takes it back; stage 8 exchanges data with the memory of a GPU whose driver moves it',
  'each run has a machine of its own: an IOMMU in strict mode, peers below two root ports; figures are sums over the runs of the column; rows that say "all places" are sums over every place of the peers with IOMMU and without, and so over more runs',
  '- = the runs of the stage have no such figure; revoke window: clock steps (bus requests) from a revoke or a move to the last access, at most',
  ...columns.flatMap(hangNote),
];

/** What the revoke window leaves out. */
function hangNote({ stage, runs, hangs }: RoadColumn): string[] {
  if (hangs === null) return [];
  const { runs: hung, lastAccessSteps: steps } = hangs;
  const last = steps === null ? 'nothing is accessed' : `the last access comes after ${grouped(steps)} steps`;
  return [
    `left out of the revoke window of stage ${stage}: ${hung} of ${runs} runs, in which an importer keeps its mapping on purpose and its owner waiting, and ${last}`,
  ];
}
