// Fast registration: a region whose key and blocks are set by work requests.
// Source followed: drivers/infiniband/core/verbs.c (ib_alloc_mr, ib_map_mr_sg), include/rdma/ib_verbs.h (ib_inc_rkey,
// ib_update_fast_reg_key). Its life: free, blocks collected (CPU only), registered, invalidated, free.
// Simplified: no gaps inside a region: only the first piece may start and the last may end off a block boundary.

import type { DmaAddr } from '@sgfree/hw-model';
import { Errno, failure, type Outcome, success } from '@sgfree/mm';
import type { DmaRange } from '../dma-range.ts';
import { IbMr, type IbMrType, MR_BYTES } from './ib-mr.ts';
import type { IbPd } from './ib-pd.ts';
import { ibSgToPages, type SgOffset } from './ib-sg-to-pages.ts';

const BLOCK_ENTRY_BYTES = 8;
const MIN_PAGE = 4096;
const VARIANT_MASK = 0xff;

/**
 * Makes a region for up to `maxNumSg` blocks, free to be registered. -EINVAL for other kinds and for more blocks than the
 * device takes; -ENOMEM when memory or the key table is exhausted.
 * @kernel ib_alloc_mr
 * @public
 */
export function ibAllocMr(pd: IbPd, mrType: IbMrType, maxNumSg: number): Outcome<IbMr> {
  const { device } = pd;
  if (mrType !== 'mem-reg' || !(maxNumSg >= 1 && maxNumSg <= device.attrs.maxFastRegPageListLen)) {
    return failure(Errno.EINVAL);
  }
  if (!device.allocate(MR_BYTES) || !device.allocate(maxNumSg * BLOCK_ENTRY_BYTES))
    return failure(Errno.ENOMEM);
  const entry = device.nic.keys.allocate('fast', pd.pdn);
  if (entry === null) return failure(Errno.ENOMEM);
  entry.state = 'free';
  // Peers may be let in by the registration, so both keys are there from the start.
  entry.rkey = entry.lkey;
  return success(new IbMr(pd, mrType, entry, maxNumSg));
}

/**
 * Collects the blocks of a list of ranges for the next registration. Nothing reaches the hardware. Returns the number of
 * ranges taken, which may be fewer than `sgNents`, or -EINVAL (nothing to map, an offset outside the first range, a page
 * size the device does not take), or -ENOMEM when not even one block fits.
 * @kernel ib_map_mr_sg
 * @public
 */
export function ibMapMrSg(
  mr: IbMr,
  sg: Iterable<DmaRange>,
  sgNents: number,
  sgOffset: SgOffset | null,
  pageSize: number,
): number {
  if (!(pageSize >= MIN_PAGE && Number.isInteger(Math.log2(pageSize)))) return -Errno.EINVAL;
  mr.pageSize = pageSize;
  mr.pages.length = 0;
  return ibSgToPages(mr, sg, sgNents, sgOffset, storePage);
}

function storePage(mr: IbMr, page: DmaAddr): number {
  if (mr.pages.length >= mr.maxPages) return -Errno.ENOMEM;
  mr.pages.push(page);
  return 0;
}

/**
 * The key with its low byte counted up, so that the old key is stale after the next registration.
 * @kernel ib_inc_rkey
 * @public
 */
export const ibIncRkey = (rkey: number): number => rkey - (rkey & VARIANT_MASK) + ((rkey + 1) & VARIANT_MASK);

/**
 * Sets the low byte of both keys.
 * @kernel ib_update_fast_reg_key
 * @public
 */
export function ibUpdateFastRegKey(mr: IbMr, newkey: number): void {
  mr.lkey = mr.lkey - (mr.lkey & VARIANT_MASK) + (newkey & VARIANT_MASK);
  mr.rkey = mr.rkey - (mr.rkey & VARIANT_MASK) + (newkey & VARIANT_MASK);
}
