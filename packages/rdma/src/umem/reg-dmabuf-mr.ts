// Regions over a dma-buf whose exporter lets importers pin, or moves and asks dynamic ones to follow.
// Source followed: uverbs REG_DMABUF_MR (core/uverbs_std_types_mr.c), hw/mlx5/mr.c (reg_user_mr_dmabuf),
// hw/mlx5/odp.c (pagefault_dmabuf_mr, mlx5_ib_dmabuf_invalidate_cb).
// A dynamic import loses its translations and its mapping in the exporter's callback; the next access faults and maps
// again, with whatever page size then fits.
// Simplified: none.

import { dmaResvLock, dmaResvUnlock } from '@sgfree/dma-buf';
import { type ModelTask, offsetWithin, PAGE_SIZE } from '@sgfree/hw-model';
import { Errno, failure, type Outcome } from '@sgfree/mm';
import { IbAccess, ibCheckMrAccess } from '../verbs/ib-access.ts';
import { type IbMr, ibDeregMr } from '../verbs/ib-mr.ts';
import type { IbPd } from '../verbs/ib-pd.ts';
import { replaceMrBlocks, zapMrBlocks } from '../verbs/ib-region-mr.ts';
import {
  type DmabufRequest,
  type IbUmemDmabuf,
  ibUmemDmabufGet,
  ibUmemDmabufMapPages,
  ibUmemDmabufUnmapPages,
} from './dmabuf-umem.ts';
import { ibUmemDmabufGetPinned } from './dmabuf-umem-pinned.ts';
import { ibUmemRelease } from './ib-umem.ts';
import type { PageFaultService } from './page-fault-service.ts';
import { bestBlocks, registerOrRelease, registerUmem, type UmemMr } from './umem-mr.ts';

const PERMITTED: number =
  IbAccess.LOCAL_WRITE |
  IbAccess.REMOTE_READ |
  IbAccess.REMOTE_WRITE |
  IbAccess.REMOTE_ATOMIC |
  IbAccess.RELAXED_ORDERING;

/** What the ioctl refuses before the driver is asked: 0 or a negative errno. @internal */
export function checkDmabufRequest<M>(pd: IbPd, request: DmabufRequest<M>, iova: number): number {
  if (offsetWithin(request.offset, PAGE_SIZE) !== offsetWithin(iova, PAGE_SIZE)) return -Errno.EINVAL;
  if ((request.access & ~PERMITTED) !== 0) return -Errno.EINVAL;
  return ibCheckMrAccess(pd.device, request.access);
}

/**
 * Registers a part of a dma-buf that is pinned for good and cannot be taken back. -EINVAL when offset and `iova` differ
 * within a page, for refused rights or when no page size fits; the errors of the import; -ENOMEM.
 * @public
 */
export function* ibRegDmabufMrPinned<M>(
  pd: IbPd,
  request: DmabufRequest<M>,
  iova: number,
): ModelTask<Outcome<UmemMr<IbUmemDmabuf<M>>>> {
  const refused = checkDmabufRequest(pd, request, iova);
  if (refused !== 0) return failure(-refused as Errno);
  const got = yield* ibUmemDmabufGetPinned(pd.device, request);
  return yield* registerOrRelease(pd, got, iova, request.access);
}

/**
 * Registers a part of a dma-buf dynamically: nothing is pinned, the exporter may move the memory, faults bring it back. Errors
 * as for {@link ibRegDmabufMrPinned}; -EOPNOTSUPP for a device without page faults.
 * @public
 */
export function* ibRegDmabufMr<M>(
  pd: IbPd,
  request: DmabufRequest<M>,
  iova: number,
  faults: PageFaultService,
): ModelTask<Outcome<UmemMr<IbUmemDmabuf<M>>>> {
  const refused = checkDmabufRequest(pd, request, iova);
  if (refused !== 0) return failure(-refused as Errno);
  if (!pd.device.attrs.onDemandPaging) return failure(Errno.EOPNOTSUPP);
  const live: { mr: IbMr | null } = { mr: null };
  const got = yield* ibUmemDmabufGet(pd.device, request, (umem) => ({
    allowPeer2peer: true,
    invalidateMappings: () => invalidateDynamic(umem, live),
  }));
  if (!got.ok) return got;
  const umem = got.value;
  const { resv } = umem.dmabuf;
  yield* dmaResvLock(resv);
  const error = yield* ibUmemDmabufMapPages(umem);
  const made = error === 0 ? registerUmem(pd, umem, iova, request.access, true) : failure(-error as Errno);
  if (made.ok) {
    const { mr } = made.value;
    live.mr = mr;
    mr.onDereg = () => {
      live.mr = null;
      faults.forget(mr);
    };
    faults.watch(mr, () => mapAgain(mr, umem));
  }
  dmaResvUnlock(resv);
  if (!made.ok) yield* ibUmemRelease(umem);
  return made;
}

/** With the reservation lock held: the hardware first, then the mapping. */
function* invalidateDynamic<M>(umem: IbUmemDmabuf<M>, live: { readonly mr: IbMr | null }): ModelTask<void> {
  if (!umem.mapped || live.mr === null) return;
  yield* zapMrBlocks(live.mr);
  yield* ibUmemDmabufUnmapPages(umem);
}

function* mapAgain<M>(mr: IbMr, umem: IbUmemDmabuf<M>): ModelTask<number> {
  const { resv } = umem.dmabuf;
  yield* dmaResvLock(resv);
  let error = yield* ibUmemDmabufMapPages(umem);
  if (error === 0) {
    const blocks = bestBlocks(umem, mr.iova);
    if (blocks === null) error = -Errno.EINVAL;
    else replaceMrBlocks(mr, blocks);
  }
  dmaResvUnlock(resv);
  return error;
}

/**
 * Takes a region over a dma-buf away: the key, the mapping, the pin, the attachment. 0, or -EINVAL while windows are bound.
 * @public
 */
export function* ibDeregDmabufMr<M>(reg: UmemMr<IbUmemDmabuf<M>>): ModelTask<number> {
  const { mr, umem } = reg;
  if (mr.entry.boundWindows > 0) return -Errno.EINVAL;
  // A revocable import takes its key back itself, in the revoke that releasing runs.
  if (umem.pinnedRevoke !== null) {
    yield* ibUmemRelease(umem);
    return yield* ibDeregMr(mr);
  }
  const error = yield* ibDeregMr(mr);
  if (error === 0) yield* ibUmemRelease(umem);
  return error;
}
