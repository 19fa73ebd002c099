// On-demand regions: nothing is pinned; blocks come with the NIC's page faults and go with the process's changes.
// Source followed: drivers/infiniband/hw/mlx5/odp.c (mlx5_ib_invalidate_range, pagefault_real_mr).
// Order of taking away: the hardware's translations, then the IOMMU's with an IOTLB flush, then the page is anybody's.
// Simplified: translations are zapped one range at a time, without the batches of an internal queue.

import { alignDown, type ModelTask, offsetWithin, PAGE_SIZE, type RdmaPageFault } from '@sgfree/hw-model';
import {
  Errno,
  failure,
  type MmuIntervalNotifierOps,
  mmuIntervalSetSeq,
  type Outcome,
  type ProcessMemory,
  success,
} from '@sgfree/mm';
import { ibCheckMrAccess } from '../verbs/ib-access.ts';
import { type IbMr, ibDeregMr } from '../verbs/ib-mr.ts';
import type { IbPd } from '../verbs/ib-pd.ts';
import { registerRegion, zapMrBlocks } from '../verbs/ib-region-mr.ts';
import type { PageFaultService } from './page-fault-service.ts';
import type { UmemMr } from './umem-mr.ts';
import {
  type IbUmemOdp,
  ibUmemOdpGet,
  ibUmemOdpMapDmaAndLock,
  ibUmemOdpUnmapDmaPages,
  mapOdpEntry,
  type UmemOdpQuirks,
} from './umem-odp.ts';

/**
 * An on-demand region is registered over `length` bytes at `start`. Errors of {@link ibUmemOdpGet} and of the registration;
 * -EINVAL when `iova` and `start` differ within a page.
 * @public
 */
export function* ibRegOdpMr(
  pd: IbPd,
  mm: ProcessMemory,
  start: number,
  length: number,
  iova: number,
  access: number,
  faults: PageFaultService,
  quirks: UmemOdpQuirks = {},
): ModelTask<Outcome<UmemMr<IbUmemOdp>>> {
  if (offsetWithin(start, PAGE_SIZE) !== offsetWithin(iova, PAGE_SIZE)) return failure(Errno.EINVAL);
  const refused = ibCheckMrAccess(pd.device, access);
  if (refused !== 0) return failure(-refused as Errno);
  const live: { mr: IbMr | null } = { mr: null };
  const watch = (umem: () => IbUmemOdp): MmuIntervalNotifierOps => ({
    invalidate: (sub, { start: from, end, blockable }, curSeq) =>
      invalidateRange(umem(), live, from, end, blockable, () => mmuIntervalSetSeq(sub, curSeq)),
  });
  const got = ibUmemOdpGet(pd.device, mm, start, length, access, watch, quirks);
  if (!got.ok) return got;
  const umem = got.value;
  const pageSize = 2 ** umem.odpPageShift;
  const pageOffset = offsetWithin(start, pageSize);
  const made = registerRegion(pd, { iova, length, access, pageSize, pageOffset, blocks: [], onDemand: true });
  if (!made.ok) {
    yield* umem.release();
    return made;
  }
  live.mr = made.value;
  faults.watch(made.value, (fault) => serveFault(made.value, umem, fault));
  return success({ mr: made.value, umem });
}

function* invalidateRange(
  umem: IbUmemOdp,
  live: { readonly mr: IbMr | null },
  from: number,
  end: number,
  blockable: boolean,
  noteSeq: () => void,
): ModelTask<boolean> {
  if (!blockable) return false;
  yield* umem.umemMutex.lock();
  noteSeq();
  const first = Math.max(from, umem.start);
  const last = Math.min(end, umem.end);
  const entry = umem.entryOf(first);
  if (live.mr !== null) yield* zapMrBlocks(live.mr, entry, umem.entryOf(last - 1) + 1 - entry);
  ibUmemOdpUnmapDmaPages(umem, first, last);
  umem.umemMutex.unlock();
  return true;
}

function* serveFault(mr: IbMr, umem: IbUmemOdp, fault: RdmaPageFault): ModelTask<number> {
  const { iova, bytes, write } = fault.wanted;
  const userVirt = umem.address + (iova - mr.iova);
  const count = yield* ibUmemOdpMapDmaAndLock(umem, userVirt, bytes, write, true);
  if (count < 0) return count;
  const first = umem.entryOf(alignDown(userVirt, 2 ** umem.odpPageShift));
  let error = 0;
  for (let idx = first; idx < first + count && error === 0; idx += 1) {
    const mapped = mapOdpEntry(umem, idx);
    if (typeof mapped === 'number') error = mapped;
    else if (mapped !== null) mr.entry.translation?.set(idx, mapped.block, mapped.writable && umem.writable);
  }
  umem.umemMutex.unlock();
  return error;
}

/**
 * Takes an on-demand region away: the key, the faults being served, the mappings, the watcher. 0, or -EINVAL while windows are bound.
 * @public
 */
export function* ibDeregOdpMr(reg: UmemMr<IbUmemOdp>, faults: PageFaultService): ModelTask<number> {
  const error = yield* ibDeregMr(reg.mr);
  if (error !== 0) return error;
  faults.forget(reg.mr);
  // A fault that is still being served would map into what is given back.
  yield* faults.settle(reg.mr);
  yield* reg.umem.release();
  return 0;
}
