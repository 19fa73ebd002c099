// A source of coherent memory whose work is booked to set-up: pool pages outlive the request that made the pool grow.
// Source followed: mm/dmapool.c keeps its pages until the pool is destroyed.
// Simplified: none.

import type { StackHooks } from './storage-stack.ts';

interface Source<Block> {
  alloc(bytes: number): Block | null;
  free(block: Block): void;
}

/** @internal */
export function meteredSource<Block>(inner: Source<Block>, hooks: StackHooks): Source<Block> {
  return {
    alloc: (bytes) => {
      const block = hooks.setup(() => inner.alloc(bytes));
      if (block !== null) hooks.poolGrew();
      return block;
    },
    free: (block) => hooks.setup(() => inner.free(block)),
  };
}
