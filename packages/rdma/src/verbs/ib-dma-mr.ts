// The DMA region: one key for every DMA address of the device. It has no bounds and no translation.
// Source followed: include/rdma/ib_verbs.h (get_dma_mr of struct ib_device_ops), drivers/infiniband/core/verbs.c.
// Simplified: made for a protection domain's own key only.

import { Errno, failure, type Outcome, success } from '@sgfree/mm';
import { IbMr, MR_BYTES, remoteKey } from './ib-mr.ts';
import type { IbPd } from './ib-pd.ts';

/**
 * Makes a region of every DMA address. -ENOMEM when memory or the key table is exhausted.
 * @internal
 */
export function getDmaMr(pd: IbPd, access: number): Outcome<IbMr> {
  if (!pd.device.allocate(MR_BYTES)) return failure(Errno.ENOMEM);
  const entry = pd.device.nic.keys.allocate('dma', pd.pdn);
  if (entry === null) return failure(Errno.ENOMEM);
  entry.rkey = remoteKey(access, entry.lkey);
  entry.validate({ access, iova: 0, length: 0, translation: null });
  return success(new IbMr(pd, 'dma', entry, 0));
}
