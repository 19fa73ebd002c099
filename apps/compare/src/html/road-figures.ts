// RoadFigures: the charts of the road table, one a figure that a stage is judged by.
// Source followed: the road table.
// Simplified: none.

import { theRoad } from '@sgfree/roadmap';
import { LAST_OF_STREAM, type RoadColumn, type RoadTable } from '../road/road-table.ts';
import { grouped } from '../text-table.ts';
import { type Bar, type BarPart, barChart, isLogarithmic } from './bar-chart.ts';
import { chartFigure } from './chart-figure.ts';

interface ColumnChart {
  readonly title: string;
  readonly says: string;
  readonly figure: (column: RoadColumn) => number | null;
}

const CHARTS: readonly ColumnChart[] = [
  {
    title: 'Scatterlist entries',
    says: 'Entries built by a stage, or handed from one driver to another.',
    figure: (column) => column.scatterlistEntries,
  },
  {
    title: 'struct page touched',
    says: 'How often a page structure had to be looked at to find out where memory is.',
    figure: (column) => column.structPagesTouched,
  },
  {
    title: 'Tracking memory',
    says: 'Bytes taken to remember what is mapped, whole objects.',
    figure: (column) => column.trackingBytes,
  },
  {
    title: 'IOVA allocations',
    says: 'Address ranges that the kernel chose: those of the DMA API, at stage 7 those of iommufd.',
    figure: (column) => column.iovaAllocations,
  },
  {
    title: 'Page-table entries written',
    says: 'Leaf entries of the IOMMU, each cleared again before the end.',
    figure: (column) => column.tableEntriesWritten,
  },
  {
    title: 'Invalidations',
    says: 'Commands that the IOMMU carried out to forget translations.',
    figure: (column) => column.invalidations,
  },
];

const STAGES: string = `stages 0 to ${theRoad.length - 1}`;
const look = ({ stage }: RoadColumn): string => (stage > LAST_OF_STREAM ? 'own' : 'main');
const nameOf = ({ stage, api }: RoadColumn): string => `${stage} ${api ?? 'not run'}`;

/** Every figure. */
export const roadFigures = (table: RoadTable): string[] => [
  ...CHARTS.map((chart) => columnFigure(table, chart)),
  routesFigure(table),
];

function columnFigure({ columns }: RoadTable, { title, says, figure }: ColumnChart): string {
  const bars = columns.map((column): Bar => {
    const value = figure(column);
    return { label: String(column.stage), parts: value === null ? null : [{ look: look(column), value }] };
  });
  const scale = isLogarithmic(bars) ? ' Logarithmic scale.' : '';
  return chartFigure({
    title,
    says: `${says}${scale}`,
    svg: barChart(`${title}, ${STAGES}`, bars),
    head: ['stage', title.toLowerCase()],
    rows: columns.map((column) => [nameOf(column), shown(figure(column))]),
  });
}

const WAYS = [
  ['main', 'switch'],
  ['third', 'hostBridge'],
  ['bad', 'refused'],
] as const;

function routesFigure({ columns }: RoadTable): string {
  const title = 'Routes';
  const bars = columns.map(({ stage, routes }): Bar => {
    const parts = WAYS.map(([way, key]): BarPart => ({ look: way, value: routes?.[key] ?? 0 }));
    return { label: String(stage), parts: routes === null ? null : parts };
  });
  return chartFigure({
    title,
    says: 'Requests between peers by their way through the fabric, over every place of the peers, with an IOMMU and without. Blue: turned round by the switch; grey: through the host bridge; red: refused.',
    svg: barChart(`Requests by route, ${STAGES}`, bars),
    head: ['stage', 'switch', 'host bridge', 'refused'],
    rows: columns.map((column) => [
      String(column.stage),
      ...WAYS.map(([, key]) => shown(column.routes?.[key] ?? null)),
    ]),
  });
}

const shown = (value: number | null): string => (value === null ? '-' : grouped(value));
