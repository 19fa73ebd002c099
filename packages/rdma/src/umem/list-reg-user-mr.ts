// ibRegUserMr: registers user memory through lists of its own for pages and DMA addresses, without a scatterlist.
// Source followed: drivers/infiniband/core/uverbs_cmd.c (ib_uverbs_reg_mr) and the drivers' reg_user_mr.
// Simplified: one call instead of a driver operation.

import type { ModelTask } from '@sgfree/hw-model';
import { type Errno, failure, type Outcome, type ProcessMemory } from '@sgfree/mm';
import type { IbPd } from '../verbs/ib-pd.ts';
import { ibUmemGet } from './list-pinned-pages.ts';
import type { PinnedUmem } from './pinned-umem.ts';
import { checkUserRegion, registerOrRelease, type UmemMr } from './umem-mr.ts';

/**
 * Registers `length` bytes at `start` of the process, called `iova` by work requests. -EINVAL when the two differ within a
 * page, for refused rights or when no page size fits; the errors of {@link ibUmemGet}; -ENOMEM.
 * @kernel ib_reg_user_mr
 * @beta
 */
export function* ibRegUserMr(
  pd: IbPd,
  mm: ProcessMemory,
  start: number,
  length: number,
  iova: number,
  access: number,
): ModelTask<Outcome<UmemMr<PinnedUmem>>> {
  const refused = checkUserRegion(pd, start, iova, access);
  if (refused !== 0) return failure(-refused as Errno);
  return yield* registerOrRelease(pd, yield* ibUmemGet(pd.device, mm, start, length, access), iova, access);
}
