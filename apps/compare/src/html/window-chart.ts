// WindowChart: how long the last access took after every revoke and every move, a dot each, drawn as SVG text.
// Source followed: none.
// Simplified: equal windows of a stage lie over each other; the table beside the chart counts them.

import { scaleSymlog } from 'd3-scale';
import { escaped } from './escaped.ts';

/** The windows of a stage in clock steps. */
export interface StageWindows {
  readonly stage: number;
  readonly what: string;
  readonly steps: readonly number[];
}

const WIDTH = 480;
const LEFT = 64;
const LINE = 42;
const TICKS = [0, 1, 10, 100, 1000, 10000];

/** The drawing. */
export function windowChart(name: string, stages: readonly StageWindows[]): string {
  const most = Math.max(1, ...stages.flatMap(({ steps }) => steps));
  const height = stages.length * LINE + 40;
  const along = scaleSymlog()
    .domain([0, most])
    .range([LEFT, WIDTH - 16]);
  const floor = stages.length * LINE + 8;
  const ticks = TICKS.filter((tick) => tick <= most).map((tick) => {
    const x = Math.round(along(tick));
    return `<line class="grid" x1="${x}" x2="${x}" y1="4" y2="${floor}"/><text class="label" x="${x}" y="${floor + 18}">${tick}</text>`;
  });
  const lines = stages.map(({ stage, steps }, at) => {
    const y = at * LINE + LINE / 2 + 4;
    const dots = [...new Set(steps)].map(
      (step) => `<circle class="dot" cx="${Math.round(along(step) * 10) / 10}" cy="${y}" r="6"/>`,
    );
    return `<g><text class="side" x="0" y="${y + 5}">stage ${stage}</text>${dots.join('')}</g>`;
  });
  return `<svg role="img" aria-label="${escaped(name)}" viewBox="0 0 ${WIDTH} ${height}" width="${WIDTH}" height="${height}">
${ticks.join('')}
${lines.join('\n')}
</svg>`;
}
