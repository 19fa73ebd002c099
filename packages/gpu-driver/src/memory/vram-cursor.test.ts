// The cursor over blocks: a part of a buffer in pieces, none longer than wanted; and blocks as the ranges that the BAR shows.
import { expect, it } from 'vitest';
import { GpuMachine } from '../../test/gpu-machine.ts';
import { vramRanges } from '../mapping/phys-pieces.ts';
import { vramPieces } from './vram-cursor.ts';

const resource = {
  kind: 'vram',
  bytes: 0x6000,
  blocks: [
    { offset: 0x8000, bytes: 0x2000 },
    { offset: 0xa000, bytes: 0x1000 },
    { offset: 0x2000, bytes: 0x2000 },
    { offset: 0x0, bytes: 0x1000 },
  ],
} as const;

it.each([
  [0, 0x6000, undefined, '8000+2000 a000+1000 2000+2000 0+1000'],
  [0, 0x6000, 0x1000, '8000+1000 9000+1000 a000+1000 2000+1000 3000+1000 0+1000'],
  [0x1000, 0x1800, undefined, '9000+1000 a000+800'],
  [0x2800, 0x1000, 0x400, 'a800+400 ac00+400 2000+400 2400+400'],
  [0x3000, 0x1000, undefined, '2000+1000'],
  [0x6000, 0x1000, undefined, ''],
  [0, 0, undefined, ''],
] as const)('%i and %i bytes on, pieces of at most %s: %s', (start, bytes, most, pieces) => {
  const found = [...vramPieces(resource, start, bytes, most)];
  expect(found.map((piece) => `${piece.offset.toString(16)}+${piece.bytes.toString(16)}`).join(' ')).toBe(
    pieces,
  );
});

it('blocks that follow each other are one range of the BAR', () => {
  const { card } = new GpuMachine();
  expect(vramRanges(card, resource)).toEqual([
    { paddr: card.vramPhys(0x8000), len: 0x3000 },
    { paddr: card.vramPhys(0x2000), len: 0x2000 },
    { paddr: card.vramPhys(0), len: 0x1000 },
  ]);
});
