// The pool: pages are cut into blocks, the newest freed block comes first, and every page goes back.
import { dmaAddr, offsetWithin, physAddr } from '@sgfree/hw-model';
import { describe, expect, it } from 'vitest';
import { type CoherentBlock, type CoherentSource, DmaPool } from './dma-pool.ts';

function source(pages: number): CoherentSource & { readonly out: Set<CoherentBlock> } {
  const out = new Set<CoherentBlock>();
  let next = 0;
  return {
    out,
    alloc: (bytes) => {
      if (next === pages) return null;
      next += 1;
      const block = { phys: physAddr(next * 4096), dma: dmaAddr(0xfff00000 + next * 4096), bytes };
      out.add(block);
      return block;
    },
    free: (block) => {
      if (!out.delete(block)) throw new Error('freed twice or never allocated');
    },
  };
}

describe.each([256, 4096])('a pool of %i-byte blocks', (blockBytes) => {
  it('cuts pages into distinct blocks whose two addresses move together', () => {
    const own = source(3);
    const pool = new DmaPool(own, blockBytes);
    const count = (3 * 4096) / blockBytes;
    const blocks = Array.from({ length: count }, () => pool.alloc() as CoherentBlock);
    expect(new Set(blocks.map((block) => block.phys)).size).toBe(count);
    for (const { phys, dma, bytes } of blocks) {
      expect(bytes).toBe(blockBytes);
      expect(offsetWithin(phys, 4096)).toBe(offsetWithin(dma, 4096));
    }
    expect(pool.alloc()).toBeNull();
    expect(pool).toMatchObject({ pages: 3, liveBlocks: count });
    for (const block of blocks) pool.free(block);
    pool.destroy();
    expect(own.out.size).toBe(0);
    expect(pool).toMatchObject({ pages: 0, liveBlocks: 0 });
  });

  it('hands out the block that was freed last and keeps its pages', () => {
    const own = source(1);
    const pool = new DmaPool(own, blockBytes);
    const first = pool.alloc() as CoherentBlock;
    pool.free(first);
    expect(pool.alloc()).toBe(first);
    expect(pool.pages).toBe(1);
  });
});
