// IbPd: a protection domain: keys and queue pairs of one domain work together, those of two do not.
// Source followed: drivers/infiniband/core/verbs.c (__ib_alloc_pd, ib_dealloc_pd_user), include/rdma/ib_verbs.h.
// Simplified: address handles and shared receive queues do not exist, so users are regions, windows and queue pairs.

import type { ModelTask } from '@sgfree/hw-model';
import { Errno, failure, type Outcome, success } from '@sgfree/mm';
import { IbAccess } from './ib-access.ts';
import type { IbDevice } from './ib-device.ts';
import { getDmaMr } from './ib-dma-mr.ts';
import { type IbMr, ibDeregMr } from './ib-mr.ts';

const PD_BYTES = 64;

/**
 * Flags of an allocation.
 * @public
 */
export interface IbPdFlags {
  /** Also make a key by which peers reach every DMA address: a security hole by design. */
  readonly unsafeGlobalRkey?: boolean;
}

/**
 * A protection domain.
 * @kernel struct ib_pd
 * @public
 */
export class IbPd {
  readonly device: IbDevice;
  /** Its number in the hardware. */
  readonly pdn: number;
  /** Regions, windows and queue pairs of this domain. */
  usecnt = 0;
  /** Key for every DMA address, for local use. */
  localDmaLkey = 0;
  /** The same for peers; 0 unless asked for. */
  unsafeGlobalRkey = 0;
  /** The region behind the keys when the device has none of its own. @internal */
  internalMr: IbMr | null = null;

  constructor(device: IbDevice, pdn: number) {
    this.device = device;
    this.pdn = pdn;
  }
}

/**
 * Makes a protection domain, with a key for every DMA address. -ENOMEM when something cannot be allocated.
 * @kernel ib_alloc_pd
 * @public
 */
export function ibAllocPd(device: IbDevice, flags: IbPdFlags = {}): Outcome<IbPd> {
  const { attrs } = device;
  if (device.pdCount >= attrs.maxPd || !device.allocate(PD_BYTES)) return failure(Errno.ENOMEM);
  const pd = new IbPd(device, device.takePdn());
  pd.localDmaLkey = device.localDmaLkey;
  const unsafe = flags.unsafeGlobalRkey === true;
  if (!attrs.localDmaLkey || unsafe) {
    const access =
      (attrs.localDmaLkey ? 0 : IbAccess.LOCAL_WRITE) |
      (unsafe ? IbAccess.LOCAL_WRITE | IbAccess.REMOTE_READ | IbAccess.REMOTE_WRITE : 0);
    const made = getDmaMr(pd, access);
    if (!made.ok) return made;
    pd.internalMr = made.value;
    if (!attrs.localDmaLkey) pd.localDmaLkey = made.value.lkey;
    if (unsafe) pd.unsafeGlobalRkey = made.value.rkey;
  }
  device.pdCount += 1;
  return success(pd);
}

/**
 * Takes a protection domain away. -EBUSY while it has users, and then it stays as it is.
 * @kernel ib_dealloc_pd
 * @public
 */
export function* ibDeallocPd(pd: IbPd): ModelTask<number> {
  const own = pd.internalMr === null ? 0 : 1;
  if (pd.usecnt > own) return -Errno.EBUSY;
  if (pd.internalMr !== null) yield* ibDeregMr(pd.internalMr);
  pd.internalMr = null;
  pd.device.pdCount -= 1;
  return 0;
}
