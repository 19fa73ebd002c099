// IbMw: a memory window: a key of its own over a part of a region, bound and taken back by work requests.
// Source followed: include/rdma/ib_verbs.h (struct ib_mw, IB_MW_TYPE_2).
// Simplified: windows of the second type only.

import type { ModelTask, RdmaKeyEntry } from '@sgfree/hw-model';
import { Errno, failure, type Outcome, success } from '@sgfree/mm';
import type { IbPd } from './ib-pd.ts';

const MW_BYTES = 64;

/**
 * A memory window.
 * @kernel struct ib_mw
 * @public
 */
export class IbMw {
  readonly pd: IbPd;
  /** Its row in the NIC's key table. */
  readonly entry: RdmaKeyEntry;
  /** Key as the next binding shall set it; its low byte is software's. */
  rkey: number;

  constructor(pd: IbPd, entry: RdmaKeyEntry) {
    this.pd = pd;
    this.entry = entry;
    this.rkey = entry.lkey;
    pd.usecnt += 1;
  }
}

/**
 * Makes a window, bound to nothing. -ENOMEM when memory or the key table is exhausted.
 * @public
 */
export function allocMw(pd: IbPd): Outcome<IbMw> {
  if (!pd.device.allocate(MW_BYTES)) return failure(Errno.ENOMEM);
  const entry = pd.device.nic.keys.allocate('window', pd.pdn);
  if (entry === null) return failure(Errno.ENOMEM);
  entry.state = 'free';
  entry.rkey = entry.lkey;
  return success(new IbMw(pd, entry));
}

/**
 * Takes a window away, bound or not; returns when no request of its key is on the bus.
 * @public
 */
export function* deallocMw(mw: IbMw): ModelTask<number> {
  mw.entry.invalidate('invalid');
  yield* mw.entry.quiesce();
  mw.pd.device.nic.keys.release(mw.entry);
  mw.pd.usecnt -= 1;
  return 0;
}
