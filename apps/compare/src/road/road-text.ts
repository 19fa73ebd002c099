// The road table as text.
// Source followed: the project's command-line conventions.
// Simplified: as wide as it is; long names of ways are broken into lines.

import { textTable } from '../text-table.ts';
import type { World } from '../world.ts';
import { roadNotes, roadRows } from './road-rows.ts';
import type { RoadTable } from './road-table.ts';

const WIDTH = 13;

/** The table with its head, ends with a line feed. */
export function roadText(world: World, table: RoadTable): string {
  const [api, ...rows] = roadRows(table);
  const head = ['', ...table.columns.map(({ stage }) => `stage ${stage}`)];
  const lines = [
    [api?.name ?? '', ...(api?.cells ?? []).map((cell) => wrapped(cell))],
    ...rows.map(({ name, cells }) => [
      name,
      ...cells.map((content) => ({ content, hAlign: 'right' as const })),
    ]),
  ];
  const notes = roadNotes(table).map((note) => `  ${note}\n`);
  return `the whole road\n${notes.join('')}\n${textTable(world, head, lines)}\n`;
}

/** Words in lines of at most {@link WIDTH} characters, longer words alone. */
function wrapped(text: string): string {
  const lines: string[] = [];
  for (const word of text.split(' ')) {
    const longer = `${lines.at(-1) ?? ''} ${word}`;
    if (lines.length > 0 && longer.length <= WIDTH) lines[lines.length - 1] = longer;
    else lines.push(word);
  }
  return lines.join('\n');
}
