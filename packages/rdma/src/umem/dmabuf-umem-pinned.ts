// Pinned imports of a dma-buf: pinned at once and mapped for as long as the region lives, or until it is revoked.
// Source followed: drivers/infiniband/core/umem_dmabuf.c (ib_umem_dmabuf_get_pinned, ..._get_pinned_with_dma_device,
// ib_umem_dmabuf_get_pinned_revocable_and_lock, ib_umem_dmabuf_set_revoke_locked).
// The revocable form returns with the reservation lock held, so that no revoke comes before the driver's hook is in place.
// Simplified: none.

import { dmaBufPin, dmaBufUnpin, dmaResvLock, dmaResvUnlock } from '@sgfree/dma-buf';
import type { ModelTask } from '@sgfree/hw-model';
import { type Errno, failure, type Outcome } from '@sgfree/mm';
import type { IbDevice } from '../verbs/ib-device.ts';
import {
  type DmabufRequest,
  type IbUmemDmabuf,
  ibUmemDmabufGet,
  ibUmemDmabufMapPages,
  ibUmemDmabufRevokeLocked,
} from './dmabuf-umem.ts';

/**
 * A pinned import that cannot be taken back: exporters that revoke refuse it (-EOPNOTSUPP). Errors of
 * {@link ibUmemDmabufGet}, of pinning and of mapping.
 * @kernel ib_umem_dmabuf_get_pinned
 * @public
 */
export function* ibUmemDmabufGetPinned<M>(
  device: IbDevice,
  request: DmabufRequest<M>,
): ModelTask<Outcome<IbUmemDmabuf<M>>> {
  const got = yield* getPinnedAndLock(device, request, false);
  if (got.ok) dmaResvUnlock(got.value.dmabuf.resv);
  return got;
}

/**
 * A pinned import that the exporter may take back once; returns with the reservation lock held. The caller sets its hook
 * with {@link ibUmemDmabufSetRevokeLocked} and gives the lock back.
 * @kernel ib_umem_dmabuf_get_pinned_revocable_and_lock
 * @public
 */
export function* ibUmemDmabufGetPinnedRevocableAndLock<M>(
  device: IbDevice,
  request: DmabufRequest<M>,
): ModelTask<Outcome<IbUmemDmabuf<M>>> {
  return yield* getPinnedAndLock(device, request, true);
}

/**
 * Sets the hook that a revoke calls, with the reservation lock held.
 * @kernel ib_umem_dmabuf_set_revoke_locked
 * @public
 */
export function ibUmemDmabufSetRevokeLocked<M>(
  umem: IbUmemDmabuf<M>,
  revoke: (umem: IbUmemDmabuf<M>) => ModelTask<void>,
  priv: unknown,
): void {
  umem.pinnedRevoke = revoke;
  umem.priv = priv;
}

function* getPinnedAndLock<M>(
  device: IbDevice,
  request: DmabufRequest<M>,
  revocable: boolean,
): ModelTask<Outcome<IbUmemDmabuf<M>>> {
  const got = yield* ibUmemDmabufGet(device, request, (umem) => ({
    allowPeer2peer: true,
    ...(revocable ? { invalidateMappings: () => ibUmemDmabufRevokeLocked(umem) } : {}),
  }));
  if (!got.ok) return got;
  const umem = got.value;
  yield* dmaResvLock(umem.dmabuf.resv);
  const error = yield* pinAndMap(umem);
  if (error === 0) return got;
  dmaResvUnlock(umem.dmabuf.resv);
  yield* umem.release();
  return failure(-error as Errno);
}

function* pinAndMap<M>(umem: IbUmemDmabuf<M>): ModelTask<number> {
  const refused = yield* dmaBufPin(umem.attach);
  if (refused !== 0) return refused;
  const error = yield* ibUmemDmabufMapPages(umem);
  if (error === 0) umem.pinned = true;
  else yield* dmaBufUnpin(umem.attach);
  return error;
}
