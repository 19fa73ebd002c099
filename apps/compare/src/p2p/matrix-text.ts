// MatrixText: a square of verdicts, one cell for each pair, cut into blocks of columns when it is wider than a screen.
// Source followed: the project's command-line conventions; the layout of `nvidia-smi topo -m`.
// Simplified: no box art, so that the width goes to the cells.

import { createColors } from 'picocolors';
import { type World, wantsColour } from '../world.ts';
import type { LabelledDevice } from './device-selection.ts';

const WIDEST = 150;

/** A cell: its text and what it stands for. */
export interface MatrixCell {
  readonly text: string;
  readonly tone: 'good' | 'fair' | 'bad' | 'open' | 'none';
}

/** The matrix of `devices`; `cellOf` is asked for each place off the diagonal. */
export function matrixText(
  world: World,
  devices: readonly LabelledDevice[],
  cellOf: (row: LabelledDevice, column: LabelledDevice) => MatrixCell,
): string {
  const rows = devices.map((row) => devices.map((column) => (row === column ? SELF : cellOf(row, column))));
  const widths = devices.map(({ label }, column) =>
    Math.max(label.length, ...rows.map((cells) => cells[column]?.text.length ?? 0)),
  );
  const labelWidth = Math.max(...devices.map(({ label }) => label.length));
  const tones = tonesOf(world);
  const blocks = columnBlocks(widths, WIDEST - labelWidth).map(([from, to]) => {
    const columns = widths.slice(from, to);
    const line = (label: string, cells: readonly string[]): string =>
      [label.padEnd(labelWidth), ...cells].join(' ').trimEnd();
    const head = line(
      '',
      devices.slice(from, to).map(({ label }, position) => label.padEnd(columns[position] ?? 0)),
    );
    const body = rows.map((cells, row) =>
      line(
        devices[row]?.label ?? '',
        cells
          .slice(from, to)
          .map(({ text, tone }, position) => tones[tone](text.padEnd(columns[position] ?? 0))),
      ),
    );
    return [head, ...body].join('\n');
  });
  return blocks.join('\n\n');
}

const SELF: MatrixCell = { text: '.', tone: 'none' };

function tonesOf(world: World): Readonly<Record<MatrixCell['tone'], (text: string) => string>> {
  const { green, yellow, red, magenta, dim } = createColors(wantsColour(world));
  return { good: green, fair: yellow, bad: red, open: magenta, none: dim };
}

/** Ranges of columns that fit side by side; a column that is too wide stands alone. */
function columnBlocks(widths: readonly number[], most: number): [number, number][] {
  const blocks: [number, number][] = [];
  let from = 0;
  let used = 0;
  for (const [column, width] of widths.entries()) {
    if (used > 0 && used + width + 1 > most) {
      blocks.push([from, column]);
      from = column;
      used = 0;
    }
    used += width + 1;
  }
  return [...blocks, [from, widths.length]];
}
