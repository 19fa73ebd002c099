// The matrix on paper: blocks that fit, columns that line up, colours for terminals only.

import { readTopologyText } from '@sgfree/topology';
import { expect, it } from 'vitest';
import { inventedMachine } from '../../test/invented-machine.ts';
import type { World } from '../world.ts';
import { type LabelledDevice, selectDevices } from './device-selection.ts';
import { matrixText } from './matrix-text.ts';

const [first] = selectDevices(readTopologyText(inventedMachine()), 'all');
const many: LabelledDevice[] = Array.from({ length: 100 }, (_, position) => ({
  ...(first as LabelledDevice),
  label: `G${position}`,
}));

const world = (stdoutIsTerminal: boolean, env: World['env'] = {}): World =>
  ({ stdoutIsTerminal, env }) as unknown as World;
const plain = world(false);
const cellOf = (row: LabelledDevice, column: LabelledDevice): { text: string; tone: 'good' } => ({
  text: `${row.label.slice(1)}x${column.label.slice(1)}`,
  tone: 'good',
});

it('is cut into blocks of columns that hold every cell once', () => {
  const text = matrixText(plain, many, cellOf);
  const blocks = text.split('\n\n');
  expect(blocks.length).toBeGreaterThan(1);
  for (const line of text.split('\n')) expect(line.length).toBeLessThanOrEqual(150);
  const cells = text.match(/\d+x\d+/g) ?? [];
  expect(new Set(cells).size).toBe(100 * 99);
  expect(cells).toHaveLength(100 * 99);
  expect(blocks.every((block) => block.split('\n').length === 101)).toBe(true);
});

it('has each cell below its column', () => {
  const lines = matrixText(plain, many, cellOf).split('\n\n')[0]?.split('\n') ?? [];
  const head = lines[0] ?? '';
  for (const { index, 0: label } of head.matchAll(/G\d+/g)) {
    for (const [position, line] of lines.slice(1).entries()) {
      const wanted = `G${position}` === label ? '.' : `${position}x${label.slice(1)}`;
      expect(line.slice(index).split(' ')[0]).toBe(wanted);
    }
  }
});

it.each([
  [world(true), true],
  [world(false), false],
  [world(true, { NO_COLOR: '1' }), false],
  [world(false, { FORCE_COLOR: '1' }), true],
])('has colours where a person sees them', (where, coloured) => {
  expect(matrixText(where, many.slice(0, 3), cellOf).includes('\u001b[')).toBe(coloured);
});
