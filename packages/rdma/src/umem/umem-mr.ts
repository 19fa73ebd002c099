// UmemMr: a memory region and the registered memory behind it: blocks of the best page size go into the NIC's table, and
// going away takes the key back before the memory.
// Source followed: the common shape of reg_user_mr and dereg_mr in drivers (hw/irdma/verbs.c, hw/mlx5/mr.c).
// Simplified: none.

import { type ModelTask, offsetWithin, PAGE_SIZE } from '@sgfree/hw-model';
import { Errno, failure, type Outcome, success } from '@sgfree/mm';
import { ibCheckMrAccess } from '../verbs/ib-access.ts';
import { type IbMr, ibDeregMr } from '../verbs/ib-mr.ts';
import type { IbPd } from '../verbs/ib-pd.ts';
import { type MrBlocks, registerRegion } from '../verbs/ib-region-mr.ts';
import { ibUmemFindBestPgsz } from './best-pgsz.ts';
import { rdmaUmemForEachDmaBlock } from './block-iter.ts';
import { type IbUmem, ibUmemRelease } from './ib-umem.ts';
import type { U64 } from './u64.ts';

/**
 * Page sizes of the modelled NIC: 4 KiB to 2 GiB.
 * @public
 */
export const NIC_PAGE_SIZES: U64 = { high: 0, low: 0xfffff000 };

/**
 * A region over registered memory.
 * @public
 */
export interface UmemMr<Umem extends IbUmem = IbUmem> {
  readonly mr: IbMr;
  readonly umem: Umem;
}

/** What registering user memory refuses before any page is looked at: 0 or a negative errno. @internal */
export function checkUserRegion(pd: IbPd, start: number, iova: number, access: number): number {
  if (offsetWithin(start, PAGE_SIZE) !== offsetWithin(iova, PAGE_SIZE)) return -Errno.EINVAL;
  return ibCheckMrAccess(pd.device, access);
}

/** Blocks of the best size for `umem` at `iova`, or null when no size fits. @internal */
export function bestBlocks(umem: IbUmem, iova: number): MrBlocks | null {
  const pageSize = ibUmemFindBestPgsz(umem, NIC_PAGE_SIZES, iova);
  return pageSize === 0 ? null : { pageSize, blocks: rdmaUmemForEachDmaBlock(umem, pageSize) };
}

/**
 * Puts mapped memory behind a new key; -EINVAL when no page size fits, else the errors of the registration. The memory stays
 * the caller's.
 * @internal
 */
export function registerUmem<Umem extends IbUmem>(
  pd: IbPd,
  umem: Umem,
  iova: number,
  access: number,
  onDemand = false,
): Outcome<UmemMr<Umem>> {
  const blocks = bestBlocks(umem, iova);
  if (blocks === null) return failure(Errno.EINVAL);
  const made = registerRegion(pd, { ...blocks, iova, length: umem.length, access, onDemand });
  return made.ok ? success({ mr: made.value, umem }) : made;
}

/**
 * Registers memory that was just got, or gives it back with the error.
 * @internal
 */
export function* registerOrRelease<Umem extends IbUmem>(
  pd: IbPd,
  got: Outcome<Umem>,
  iova: number,
  access: number,
): ModelTask<Outcome<UmemMr<Umem>>> {
  if (!got.ok) return got;
  const made = registerUmem(pd, got.value, iova, access);
  if (!made.ok) yield* ibUmemRelease(got.value);
  return made;
}

/**
 * Takes a region over pinned user memory away: the key, then the memory. 0, or -EINVAL while windows are bound to it.
 * @public
 */
export function* ibDeregUserMr(reg: UmemMr): ModelTask<number> {
  const error = yield* ibDeregMr(reg.mr);
  if (error === 0) yield* ibUmemRelease(reg.umem);
  return error;
}
