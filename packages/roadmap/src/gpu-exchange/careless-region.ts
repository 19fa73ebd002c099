// A careless region: a registration whose driver gives its mapping back when it is told and leaves its adapter as it is, made of the same
// calls as a good one.
// Source followed: the duties of an importer in the documentation of dma_buf_attach_ops; the shape of hw/mlx5/mr.c (reg_user_mr_dmabuf).
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
  ibUmemDmabufUnmapPages,
  ibUmemFindBestPgsz,
  ibUmemRelease,
  NIC_PAGE_SIZES,
  rdmaUmemForEachDmaBlock,
  registerRegion,
  type UmemMr,
} from '@sgfree/rdma';

/** A region at address 0 that keeps its translations for ever; errors as for a dynamic one. @internal */
export function* registerCareless<M>(
  pd: IbPd,
  request: DmabufRequest<M>,
): ModelTask<Outcome<UmemMr<IbUmemDmabuf<M>>>> {
  const got = yield* ibUmemDmabufGet(pd.device, request, (umem) => ({
    allowPeer2peer: true,
    invalidateMappings: () => ibUmemDmabufUnmapPages(umem),
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
