// A hanging owner: at which point it waits, with which locks, and whose mapping it waits for.
// Source followed: vfio_pci_dma_buf_move waits without bound and with memory_lock held; the attachments of the buffer say who
// imported it.
// Simplified: only regions of RDMA are known by name.

import type { RevokeCast } from './revoke-cast.ts';
import type { RevokeHang, RevokeHolder } from './revoke-report.ts';
import type { RevokeWatch } from './revoke-watch.ts';

/** Why a run stopped waiting. @internal */
export type RevokeSuspension = RevokeHang['because'];

/** @internal */
export function diagnoseHang(
  cast: RevokeCast,
  watch: RevokeWatch,
  ownerAt: string,
  because: RevokeSuspension,
): RevokeHang {
  const waited = watch.now.step - (watch.started?.step ?? watch.now.step);
  const holdingLocks = locksHeld(cast);
  return { waited, because, ownerAt, holdingLocks, holders: mapHolders(cast), releasedAfter: null };
}

/** Who has the buffer mapped, by its list of attachments, the newest first. */
function mapHolders({ lent, roles }: RevokeCast): RevokeHolder[] {
  return lent.dmabuf.attachments.flatMap((attach) => {
    const role = roles.find(({ importer }) => importer.region?.umem === attach.importerPriv);
    const held = role?.importer.held ?? null;
    return held === null ? [] : [held];
  });
}

/** The owner's locks that are not free; nobody else takes them. */
function locksHeld({ scene, lent }: RevokeCast): string[] {
  const { memoryLock } = scene.vdev;
  const held = lent.dmabuf.resv.mutex.locked ? ['dma_resv'] : [];
  if (!memoryLock.tryWriteLock()) return [memoryLock.lockClass, ...held];
  memoryLock.writeUnlock();
  return held;
}
