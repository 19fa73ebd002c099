// Text tables for people: cli-table3 with the project's settings.
// Source followed: the project's command-line conventions: box art only for a UTF-8 terminal, colours only there too.
// Simplified: no wrapping to the terminal's width.

import Table from 'cli-table3';
import { createColors } from 'picocolors';
import { type World, wantsColour } from './world.ts';

const PLAIN = {
  top: '',
  'top-mid': '',
  'top-left': '',
  'top-right': '',
  bottom: '',
  'bottom-mid': '',
  'bottom-left': '',
  'bottom-right': '',
  left: '',
  'left-mid': '',
  mid: '',
  'mid-mid': '',
  right: '',
  'right-mid': '',
  middle: '  ',
};

/** A cell: text, text to be aligned right, or text across several columns. */
export type Cell =
  | string
  | { readonly content: string; readonly hAlign: 'right' }
  | { readonly content: string; readonly colSpan: number };

/** A number, grouped and aligned right. */
export const numberCell = (value: number): Cell => ({ content: grouped(value), hAlign: 'right' });

/** Clock steps, or a dash for what did not happen. */
export const stepCell = (steps: number | null): Cell =>
  steps === null ? { content: '-', hAlign: 'right' } : numberCell(steps);

/** Text that begins a row and takes the place of its first `columns` cells. */
export const spanningCell = (content: string, columns: number): Cell => ({ content, colSpan: columns });

/** A number with thousands grouped by commas. */
export const grouped = (value: number): string => String(value).replace(/\B(?=(\d{3})+$)/g, ',');

/** A table without trailing newline. */
export function textTable(world: World, head: readonly string[], rows: readonly (readonly Cell[])[]): string {
  // Not by the table's own styles: those ask the process whether it has a terminal.
  const { bold } = createColors(wantsColour(world));
  const table = new Table({
    head: head.map((cell) => bold(cell)),
    chars: PLAIN,
    style: { head: [], border: [], 'padding-left': 0, 'padding-right': 0, compact: true },
  });
  for (const row of rows) table.push([...row]);
  const text = table.toString();
  return text
    .split('\n')
    .map((line) => line.trimEnd())
    .join('\n');
}
