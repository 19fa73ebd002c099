// The block iterator: cuts DMA ranges into blocks of the page size that was chosen for them.
// Source followed: drivers/infiniband/core/iter.c (__rdma_block_iter_start, __rdma_block_iter_next,
// rdma_umem_for_each_dma_block). It trusts the choice: a range that starts in the middle of a block is skipped over.
// Simplified: none.

import { addOffset, alignDown, type DmaAddr, offsetWithin } from '@sgfree/hw-model';
import type { DmaRange } from '../dma-range.ts';
import { type IbUmem, ibUmemNumDmaBlocks, ibUmemOffset } from './ib-umem.ts';

/** The largest power of two not above `pgsz`. */
const pageOf = (pgsz: number): number => 2 ** Math.floor(Math.log2(pgsz));

/**
 * Blocks of `pgsz` bytes over `ranges`, each rounded down to its size; the first `skip` bytes are left out.
 * @kernel rdma_for_each_block
 * @public
 */
export function* rdmaForEachBlock(
  ranges: Iterable<DmaRange>,
  pgsz: number,
  skip = 0,
): Generator<DmaAddr, void, void> {
  const page = pageOf(pgsz);
  const source = ranges[Symbol.iterator]();
  let advance = skip;
  let entry = source.next();
  while (entry.done !== true) {
    const dma = addOffset(entry.value.address, advance);
    let delta = page - offsetWithin(dma, page);
    yield alignDown(dma, page);
    while (entry.done !== true && entry.value.bytes - advance <= delta) {
      delta -= entry.value.bytes - advance;
      advance = 0;
      entry = source.next();
    }
    advance += delta;
  }
}

/**
 * The blocks of `pgsz` bytes behind `umem`, exactly as many as its `iova` and length take, if there are so many.
 * @kernel rdma_umem_for_each_dma_block
 * @public
 */
export function* rdmaUmemForEachDmaBlock(
  umem: Pick<IbUmem, 'address' | 'length' | 'iova' | 'dmaRanges'>,
  pgsz: number,
): Generator<DmaAddr, void, void> {
  let left = ibUmemNumDmaBlocks(umem, pgsz);
  if (left === 0) return;
  for (const block of rdmaForEachBlock(umem.dmaRanges(), pgsz, alignDown(ibUmemOffset(umem), pgsz))) {
    yield block;
    left -= 1;
    if (left === 0) return;
  }
}
