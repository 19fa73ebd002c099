// BlockMedium: known content before a block is written, its own afterwards; beside a plain array.
import { fc, test } from '@fast-check/vitest';
import { describe, expect, it } from 'vitest';
import { InternalError } from '../../internal-error.ts';
import { BlockMedium, type BlockPattern } from './block-medium.ts';

const COUNT = 40;
const pattern: BlockPattern = (lba, into) => into.fill(lba + 1);

describe('blocks', () => {
  it('read as zeros without a pattern', () => {
    const into = new Uint8Array(1024).fill(1);
    new BlockMedium({ blockBytes: 512, blockCount: 8 }).read(3, into);
    expect(into.every((byte) => byte === 0)).toBe(true);
  });

  it.each([512, 4096] as const)(
    'of %d bytes keep what is written, their neighbours the pattern',
    (blockBytes) => {
      const medium = new BlockMedium({ blockBytes, blockCount: COUNT, pattern });
      medium.write(9, new Uint8Array(blockBytes).fill(0xaa));
      const into = new Uint8Array(3 * blockBytes);
      medium.read(8, into);
      expect([0, 1, 2].map((i) => into[i * blockBytes])).toEqual([9, 0xaa, 11]);
      expect([0, 1, 2].map((i) => into[(i + 1) * blockBytes - 1])).toEqual([9, 0xaa, 11]);
      expect(medium.writtenBlocks).toBe(1);
    },
  );

  it('do not share memory with the buffers they came from', () => {
    const medium = new BlockMedium({ blockBytes: 512, blockCount: 1 });
    const from = new Uint8Array(512).fill(1);
    medium.write(0, from);
    from.fill(2);
    const into = new Uint8Array(512);
    medium.read(0, into);
    into.fill(3);
    medium.read(0, from);
    expect(from[0]).toBe(1);
  });

  it('exist up to the capacity, and only whole', () => {
    const medium = new BlockMedium({ blockBytes: 512, blockCount: COUNT });
    expect([medium.holds(COUNT - 1, 1), medium.holds(COUNT - 1, 2), medium.holds(2 ** 60, 1)]).toEqual([
      true,
      false,
      false,
    ]);
    expect(() => medium.read(COUNT, new Uint8Array(512))).toThrow(InternalError);
    expect(() => medium.write(0, new Uint8Array(100))).toThrow(InternalError);
  });
});

const write = fc.record({
  lba: fc.integer({ min: 0, max: COUNT - 1 }),
  blocks: fc.integer({ min: 1, max: 20 }),
  fill: fc.integer({ min: 0, max: 255 }),
});

test.prop([fc.array(write, { maxLength: 12 }), write, fc.constantFrom<(512 | 4096)[]>(512, 4096)])(
  'hold what a plain array holds',
  (writes, wanted, blockBytes) => {
    const medium = new BlockMedium({ blockBytes, blockCount: COUNT + 20, pattern });
    const plain = new Uint8Array((COUNT + 20) * blockBytes);
    for (let lba = 0; lba < COUNT + 20; lba += 1)
      plain.fill(lba + 1, lba * blockBytes, (lba + 1) * blockBytes);
    const touched = new Set<number>();
    for (const { lba, blocks, fill } of writes) {
      const data = new Uint8Array(blocks * blockBytes).map((_, i) => fill + i);
      medium.write(lba, data);
      plain.set(data, lba * blockBytes);
      for (let i = 0; i < blocks; i += 1) touched.add(lba + i);
    }
    const into = new Uint8Array(wanted.blocks * blockBytes);
    medium.read(wanted.lba, into);
    const expected = plain.subarray(wanted.lba * blockBytes, (wanted.lba + wanted.blocks) * blockBytes);
    expect(Buffer.compare(into, expected)).toBe(0);
    expect(medium.writtenBlocks).toBe(touched.size);
  },
);
