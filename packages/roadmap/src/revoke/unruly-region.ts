// Unruly regions: registrations whose callback breaks the contract of dma-buf, made of the same calls as the good ones.
// Source followed: the duties of an importer in the documentation of dma_buf_attach_ops; the shape of
// hw/mlx5/mr.c (reg_user_mr_dmabuf).
// Simplified: none.

import { dmaResvLock, dmaResvUnlock } from '@sgfree/dma-buf/stage-6';
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
} from '@sgfree/rdma/stage-6';
import type { LentMapping, LentRegion } from './lent-mapping.ts';

type Umem = IbUmemDmabuf<LentMapping>;

/** `keeps-mapping`: is told and does nothing. `unmaps-at-work`: gives the mapping back while its hardware goes on. @internal */
export type UnrulyManners = 'keeps-mapping' | 'unmaps-at-work';

/** A region that treats the exporter's call with `manners`; errors as for a dynamic one. @internal */
export function* registerUnruly(
  pd: IbPd,
  request: DmabufRequest<LentMapping>,
  manners: UnrulyManners,
): ModelTask<Outcome<LentRegion>> {
  const got = yield* ibUmemDmabufGet(pd.device, request, (umem) => ({
    allowPeer2peer: true,
    invalidateMappings: () => (manners === 'keeps-mapping' ? ignored() : ibUmemDmabufUnmapPages(umem)),
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

function* ignored(): ModelTask<void> {
  yield* [];
}

function keyOver(pd: IbPd, umem: Umem, access: number): Outcome<LentRegion> {
  const pageSize = ibUmemFindBestPgsz(umem, NIC_PAGE_SIZES, 0);
  if (pageSize === 0) return failure(Errno.EINVAL);
  const blocks = rdmaUmemForEachDmaBlock(umem, pageSize);
  const made = registerRegion(pd, { iova: 0, length: umem.length, access, pageSize, blocks });
  return made.ok ? success({ mr: made.value, umem }) : made;
}
