// BarChart: a figure of every stage as columns, drawn as SVG text.
// Source followed: none.
// Simplified: no figure below zero; where figures lie far apart the scale is logarithmic, and every column says its value.

import { scaleBand, scaleLinear, scaleSymlog } from 'd3-scale';
import { grouped } from '../text-table.ts';
import { escaped } from './escaped.ts';

/** Part of a column. */
export interface BarPart {
  /** Its class in the style sheet. */
  readonly look: string;
  readonly value: number;
}

/** A column; null parts = no such figure. */
export interface Bar {
  readonly label: string;
  readonly parts: readonly BarPart[] | null;
}

const WIDTH = 480;
const HEIGHT = 220;
const TOP = 26;
const FLOOR = 186;
/** From this ratio of largest to smallest on, the small ones would be invisible. */
const FAR_APART = 50;

/** True where the columns stand on a logarithmic scale. */
export function isLogarithmic(bars: readonly Bar[]): boolean {
  if (bars.some(({ parts }) => (parts?.length ?? 0) > 1)) return false;
  const values = bars.map(totalOf).filter((value) => value !== null && value > 0) as number[];
  return values.length > 1 && Math.max(...values) / Math.min(...values) > FAR_APART;
}

/** The drawing. `name` is what a screen reader says of it. */
export function barChart(name: string, bars: readonly Bar[]): string {
  const most = Math.max(1, ...bars.map((bar) => totalOf(bar) ?? 0));
  const across = scaleBand<number>()
    .domain(bars.map((_, at) => at))
    .range([4, WIDTH - 4])
    .paddingInner(0.28)
    .paddingOuter(0.1);
  const scale = isLogarithmic(bars) ? scaleSymlog() : scaleLinear();
  const up = scale.domain([0, most]).range([0, FLOOR - TOP]);
  const columns = bars.map((bar, at) => columnOf(bar, across(at) ?? 0, across.bandwidth(), up));
  return `<svg role="img" aria-label="${escaped(name)}" viewBox="0 0 ${WIDTH} ${HEIGHT}" width="${WIDTH}" height="${HEIGHT}">
<line class="axis" x1="0" x2="${WIDTH}" y1="${FLOOR}" y2="${FLOOR}"/>
${columns.join('\n')}
</svg>`;
}

const totalOf = ({ parts }: Bar): number | null =>
  parts === null ? null : parts.reduce((sum, { value }) => sum + value, 0);

function columnOf(bar: Bar, x: number, width: number, up: (value: number) => number): string {
  const middle = fixed(x + width / 2);
  const total = totalOf(bar);
  let below = 0;
  const rectangles = (bar.parts ?? []).map(({ look, value }) => {
    const [from, to] = [up(below), up(below + value)];
    below += value;
    if (value === 0) return '';
    const height = Math.max(1.5, to - from);
    return `<rect class="${look}" x="${fixed(x)}" y="${fixed(FLOOR - from - height)}" width="${fixed(width)}" height="${fixed(height)}" rx="2"/>`;
  });
  const label = `<text class="label" x="${middle}" y="${FLOOR + 20}">${escaped(bar.label)}</text>`;
  const y = fixed(FLOOR - up(below) - 7);
  const value = `<text class="${total === null ? 'none' : 'value'}" x="${middle}" y="${y}">${total === null ? '–' : brief(total)}</text>`;
  return `<g>${rectangles.join('')}${value}${label}</g>`;
}

/** As much of a number as fits over a column; the table beside it has the rest. */
const brief = (value: number): string =>
  value < 10_000 ? grouped(value) : `${grouped(Math.round(value / 1000))}k`;

const fixed = (value: number): string => String(Math.round(value * 10) / 10);
