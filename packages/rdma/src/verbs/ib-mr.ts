// IbMr: a memory region: a key of the NIC and what software remembers of it.
// Source followed: include/rdma/ib_verbs.h (struct ib_mr), drivers/infiniband/core/verbs.c (ib_dereg_mr_user).
// Going away takes the key back first and waits for the requests that were on the bus with it; only then is the memory
// behind it anybody else's.
// Simplified: integrity regions do not exist.

import type { DmaAddr, ModelTask, RdmaKeyEntry } from '@sgfree/hw-model';
import { Errno } from '@sgfree/mm';
import type { IbPd } from './ib-pd.ts';

/** Bytes of a region's object in the allocation sweeps. @internal */
export const MR_BYTES = 128;
/** REMOTE_WRITE, REMOTE_READ, REMOTE_ATOMIC. */
const REMOTE = 14;

/**
 * Kinds of region: registered by work requests (equal pages), from user memory or a dma-buf, every DMA address.
 * @kernel enum ib_mr_type
 * @public
 */
export type IbMrType = 'mem-reg' | 'user' | 'dma';

/**
 * A memory region.
 * @kernel struct ib_mr
 * @public
 */
export class IbMr {
  readonly pd: IbPd;
  readonly type: IbMrType;
  /** Its row in the NIC's key table. */
  readonly entry: RdmaKeyEntry;
  /** Keys as the next work request shall name them; the hardware's may still differ for a `mem-reg` region. */
  lkey: number;
  rkey: number;
  iova = 0;
  length = 0;
  /** Bytes of a block; 0 for every-address regions. */
  pageSize = 0;
  /** Blocks that the last mapping call collected. */
  readonly pages: DmaAddr[] = [];
  /** Blocks it can hold. */
  readonly maxPages: number;
  /** True when the keys must be invalidated before they are registered again. */
  needInval = false;
  /** Called when the region is gone and nothing touches its memory any more. */
  onDereg: (() => void) | null = null;

  constructor(pd: IbPd, type: IbMrType, entry: RdmaKeyEntry, maxPages: number) {
    this.pd = pd;
    this.type = type;
    this.entry = entry;
    this.lkey = entry.lkey;
    this.rkey = entry.rkey;
    this.maxPages = maxPages;
    pd.usecnt += 1;
  }
}

/** What peers use as key for these rights: 0 when they have none. @internal */
export const remoteKey = (access: number, key: number): number => ((access & REMOTE) === 0 ? 0 : key);

/**
 * Takes a region away; returns when none of its requests is on the bus. -EINVAL while windows are bound to it.
 * @kernel ib_dereg_mr
 * @public
 */
export function* ibDeregMr(mr: IbMr): ModelTask<number> {
  const { entry, pd } = mr;
  if (entry.boundWindows > 0) return -Errno.EINVAL;
  if (entry.state !== 'invalid') entry.invalidate('invalid');
  yield* entry.quiesce();
  pd.device.nic.keys.release(entry);
  pd.usecnt -= 1;
  mr.onDereg?.();
  return 0;
}
