// A region whose driver is told by a callback of its own instead of the good one's, made of the same calls.
// Source followed: the shape of hw/mlx5/mr.c (reg_user_mr_dmabuf).
// Simplified: none.

import { dmaResvLock, dmaResvUnlock } from '@sgfree/dma-buf';
import type { ModelTask } from '@sgfree/hw-model';
import { Errno, failure, type Outcome, success } from '@sgfree/mm';
import {
  type DmabufRequest,
  type IbPd,
  type IbUmemDmabuf,
  ibUmemDmabufGet,
  ibUmemDmabufMapPages,
  ibUmemFindBestPgsz,
  ibUmemRelease,
  NIC_PAGE_SIZES,
  rdmaUmemForEachDmaBlock,
  registerRegion,
  type UmemMr,
} from '@sgfree/rdma';

/** A region at address 0; `told` is called, with the reservation held, when the memory is taken back. Errors as for a dynamic one. @internal */
export function* registerToldRegion<M>(
  pd: IbPd,
  request: DmabufRequest<M>,
  told: (umem: IbUmemDmabuf<M>) => ModelTask<void>,
): ModelTask<Outcome<UmemMr<IbUmemDmabuf<M>>>> {
  const got = yield* ibUmemDmabufGet(pd.device, request, (umem) => ({
    allowPeer2peer: true,
    invalidateMappings: () => told(umem),
  }));
  if (!got.ok) return got;
  const umem = got.value;
  const { resv } = umem.dmabuf;
  yield* dmaResvLock(resv);
  const error = yield* ibUmemDmabufMapPages(umem);
  const made = error === 0 ? keyOver(pd, umem, request.access) : failure(-error as Errno);
  dmaResvUnlock(resv);
  if (!made.ok) yield* ibUmemRelease(umem);
  return made;
}

function keyOver<M>(pd: IbPd, umem: IbUmemDmabuf<M>, access: number): Outcome<UmemMr<IbUmemDmabuf<M>>> {
  const pageSize = ibUmemFindBestPgsz(umem, NIC_PAGE_SIZES, 0);
  if (pageSize === 0) return failure(Errno.EINVAL);
  const blocks = rdmaUmemForEachDmaBlock(umem, pageSize);
  const made = registerRegion(pd, { iova: 0, length: umem.length, access, pageSize, blocks });
  return made.ok ? success({ mr: made.value, umem }) : made;
}
