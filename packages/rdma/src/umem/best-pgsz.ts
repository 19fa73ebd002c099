// The best page size: the largest block in which a device can hold a region, given where its bytes lie.
// Source followed: drivers/infiniband/core/umem.c (ib_umem_find_best_pgsz, ib_umem_find_best_pgoff, ib_umem_is_contiguous).
// Address and DMA address must agree below the page size wherever a contiguous run starts, and all runs but the first must
// start on a page. A page may be larger than the region. Asking sets `iova`, also when the question is only about offsets.
// Simplified: none.

import { addOffset, type DmaAddr, highWord, lowWord } from '@sgfree/hw-model';
import { type IbUmem, ibUmemNumDmaBlocks, ibUmemOffset, ibUmemStartDmaAddr } from './ib-umem.ts';
import {
  ALL_PAGE_SIZES,
  type U64,
  u64,
  u64Add,
  u64AddOverflows,
  u64And,
  u64BitsFrom,
  u64BitsTo,
  u64Ctz,
  u64Fls,
  u64Or,
  u64Xor,
} from './u64.ts';

/**
 * What the question needs to know of memory.
 * @public
 */
export type UmemLayout = Pick<IbUmem, 'address' | 'length' | 'odpPageShift' | 'dmaRanges'> & { iova: U64 };

const NOTHING: U64 = { high: 0, low: 0 };

const bitsOf = (address: DmaAddr): U64 => ({ high: highWord(address), low: lowWord(address) });

/**
 * Bytes of the largest page of `pgszBitmap` with which `umem` can be registered at `virt`; 0 = with none.
 * @kernel ib_umem_find_best_pgsz
 * @public
 */
export function ibUmemFindBestPgsz(umem: UmemLayout, pgszBitmap: number | U64, virt: number | U64): number {
  const bitmap = u64(pgszBitmap);
  const va = u64(virt);
  umem.iova = va;
  if (umem.odpPageShift !== 0) {
    const bit = u64(2 ** umem.odpPageShift);
    return u64Fls(u64And(bitmap, bit)) === 0 ? 0 : 2 ** umem.odpPageShift;
  }
  // The last byte would wrap below the first.
  if (umem.length > 0 && u64AddOverflows(va, umem.length - 1)) return 0;
  const mask = u64Or(wholeRegion(bitmap, va, umem.length), disagreement(umem, va));
  const lowest = u64Ctz(mask);
  const allowed = lowest === 64 ? bitmap : u64And(bitmap, u64BitsTo(lowest));
  const best = u64Fls(allowed);
  return best === 0 ? 0 : 2 ** (best - 1);
}

/** The sizes at which one page covers everything: the smallest of them is enough. */
function wholeRegion(bitmap: U64, va: U64, length: number): U64 {
  const bits = Math.max(1, u64Fls(u64Xor(va, u64Add(va, length - 1))));
  return bits < 64 ? u64And(bitmap, u64BitsFrom(bits)) : NOTHING;
}

/** Bits in which address and DMA address differ at the start of some run, or in which a later run starts within a page. */
function disagreement(umem: UmemLayout, virt: U64): U64 {
  let mask = NOTHING;
  let va = virt;
  let pgoff = ibUmemOffset(umem);
  let runEnd: DmaAddr | null = null;
  for (const { address, bytes } of umem.dmaRanges()) {
    if (runEnd !== address) {
      mask = u64Or(mask, u64Xor(u64Add(bitsOf(address), pgoff), va));
      if (runEnd !== null) mask = u64Or(mask, va);
    }
    runEnd = addOffset(address, bytes);
    va = u64Add(va, bytes - pgoff);
    pgoff = 0;
  }
  return mask;
}

/**
 * As {@link ibUmemFindBestPgsz} when only the address bits in `pgoffBitmask` must agree.
 * @kernel ib_umem_find_best_pgoff
 * @public
 */
export function ibUmemFindBestPgoff(
  umem: UmemLayout,
  pgszBitmap: number | U64,
  pgoffBitmask: number | U64,
): number {
  const start = bitsOf(ibUmemStartDmaAddr(umem));
  return ibUmemFindBestPgsz(umem, pgszBitmap, u64And(start, u64(pgoffBitmask)));
}

/**
 * True when the memory is one run of DMA addresses. Sets `iova`, as the kernel's question does.
 * @kernel ib_umem_is_contiguous
 * @public
 */
export function ibUmemIsContiguous(umem: UmemLayout): boolean {
  const pgsz = ibUmemFindBestPgsz(umem, ALL_PAGE_SIZES, bitsOf(ibUmemStartDmaAddr(umem)));
  return pgsz !== 0 && ibUmemNumDmaBlocks(umem, pgsz) === 1;
}
