// IbAccess: what a memory region permits, and which combinations a registration may ask for.
// Source followed: include/rdma/ib_verbs.h (enum ib_access_flags, ib_check_mr_access).
// Simplified: reading for one's own work requests is always permitted and has no flag.

import { Errno } from '@sgfree/mm';
import type { IbDevice } from './ib-device.ts';

/**
 * Access flags, by the kernel's names without `IB_ACCESS_`.
 * @public
 */
export const IbAccess = {
  LOCAL_WRITE: 1,
  REMOTE_WRITE: 2,
  REMOTE_READ: 4,
  REMOTE_ATOMIC: 8,
  MW_BIND: 16,
  ZERO_BASED: 32,
  ON_DEMAND: 64,
  HUGETLB: 128,
  FLUSH_GLOBAL: 256,
  FLUSH_PERSISTENT: 512,
  /** Bit 20, the first of the optional ones. */
  RELAXED_ORDERING: 0x100000,
} as const;

/** Bits 20 to 29: devices may ignore them, every one is accepted. */
const OPTIONAL = 0x3ff00000;
const SUPPORTED = 0x3ff + OPTIONAL;
const FLUSH: number = IbAccess.FLUSH_GLOBAL + IbAccess.FLUSH_PERSISTENT;
const PEERS_CHANGE: number = IbAccess.REMOTE_WRITE + IbAccess.REMOTE_ATOMIC;

/**
 * 0 when `flags` is a combination that `device` can register; -EINVAL for peers that may change what its owner may not
 * write, and for unknown bits; -EOPNOTSUPP for what the device lacks.
 * @kernel ib_check_mr_access
 * @public
 */
export function ibCheckMrAccess(device: IbDevice, flags: number): number {
  if ((flags & PEERS_CHANGE) !== 0 && (flags & IbAccess.LOCAL_WRITE) === 0) return -Errno.EINVAL;
  if ((flags & ~SUPPORTED) !== 0) return -Errno.EINVAL;
  if ((flags & IbAccess.ON_DEMAND) !== 0 && !device.attrs.onDemandPaging) return -Errno.EOPNOTSUPP;
  if ((flags & IbAccess.FLUSH_GLOBAL) !== 0 && !device.attrs.flushGlobal) return -Errno.EOPNOTSUPP;
  if ((flags & FLUSH & ~IbAccess.FLUSH_GLOBAL) !== 0 && !device.attrs.flushPersistent)
    return -Errno.EOPNOTSUPP;
  return 0;
}

/**
 * True when the hardware must be able to write through a region with these flags.
 * @kernel ib_access_writable
 * @public
 */
export const ibAccessWritable = (flags: number): boolean =>
  (flags & (IbAccess.LOCAL_WRITE | IbAccess.REMOTE_WRITE | IbAccess.REMOTE_ATOMIC | IbAccess.MW_BIND)) !== 0;
