// Regions over a dma-buf that stays pinned until its exporter takes it back: once, for ever.
// Source followed: drivers/infiniband/hw/irdma/verbs.c (irdma_reg_user_mr_dmabuf): the revoke takes the key back in the
// hardware and keeps its index, so that no other region gets the same key before the user deregisters.
// Simplified: the hardware never fails to take a key back.

import { dmaResvUnlock } from '@sgfree/dma-buf';
import type { ModelTask } from '@sgfree/hw-model';
import { type Errno, failure, type Outcome } from '@sgfree/mm';
import type { IbPd } from '../verbs/ib-pd.ts';
import { revokeMr } from '../verbs/ib-region-mr.ts';
import type { DmabufRequest, IbUmemDmabuf } from './dmabuf-umem.ts';
import { ibUmemDmabufGetPinnedRevocableAndLock, ibUmemDmabufSetRevokeLocked } from './dmabuf-umem-pinned.ts';
import { ibUmemRelease } from './ib-umem.ts';
import { checkDmabufRequest } from './reg-dmabuf-mr.ts';
import { registerUmem, type UmemMr } from './umem-mr.ts';

/**
 * Registers a part of a dma-buf, pinned and revocable. -EINVAL when offset and `iova` differ within a page, for refused rights
 * or when no page size fits; the errors of the import; -ENOMEM.
 * @public
 */
export function* ibRegDmabufMrRevocable<M>(
  pd: IbPd,
  request: DmabufRequest<M>,
  iova: number,
): ModelTask<Outcome<UmemMr<IbUmemDmabuf<M>>>> {
  const refused = checkDmabufRequest(pd, request, iova);
  if (refused !== 0) return failure(-refused as Errno);
  const got = yield* ibUmemDmabufGetPinnedRevocableAndLock(pd.device, request);
  if (!got.ok) return got;
  const umem = got.value;
  const made = registerUmem(pd, umem, iova, request.access);
  if (made.ok) {
    const { mr } = made.value;
    ibUmemDmabufSetRevokeLocked(umem, () => revokeMr(mr), mr);
  }
  dmaResvUnlock(umem.dmabuf.resv);
  if (!made.ok) yield* ibUmemRelease(umem);
  return made;
}
