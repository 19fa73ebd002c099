// IoptAccess: a user inside the kernel that reads, writes or pins memory by IOVA, such as a mediated device.
// Source followed: struct iommufd_access, iopt_add_access(), iopt_remove_access(), iommufd_access_change_ioas(),
// iommufd_access_notify_unmap() in drivers/iommu/iommufd.
// Simplified: the references that an access takes of its IOAS are its owner's.

import { type ModelTask, PAGE_SIZE, type TaskMutex } from '@sgfree/hw-model';
import { Errno } from '@sgfree/mm';
import type { IoPagetable } from '../io-pagetable/io-pagetable.ts';
import { ioptCalculateIovaAlignment } from '../io-pagetable/table-domains.ts';
import type { IommufdPlatform } from '../iommufd-platform.ts';
import { type U64, U64_MAX, U64_ZERO } from '../u64/u64.ts';

/**
 * What a user brings.
 * @kernel iommufd_access_ops
 * @public
 */
export interface IommufdAccessOps {
  /** It pins pages, so that IOVAs have to be page aligned; else it only reads and writes. */
  readonly needsPinPages: boolean;
  /** A range is going to be unmapped: the user unpins what it holds of it before this returns. */
  unmap?(iova: U64, length: U64): ModelTask<void>;
}

/**
 * An in-kernel user of I/O address spaces (`struct iommufd_access` without its object).
 * @public
 */
export class IoptAccess {
  readonly ops: IommufdAccessOps;
  /** Bytes. */
  readonly iovaAlignment: number;
  /** A part of iommufd itself: what it pins cannot be unmapped by user space, and it is not asked to let go. */
  readonly internal: boolean;
  /** Where pins and reads go; null = detached. */
  iopt: IoPagetable | null = null;
  /** Where pins are given back; still set while a detach is under way. */
  ioptUnpin: IoPagetable | null = null;
  readonly lock: TaskMutex;

  constructor(platform: IommufdPlatform, ops: IommufdAccessOps, internal = false) {
    this.ops = ops;
    this.iovaAlignment = ops.needsPinPages ? PAGE_SIZE : 1;
    this.internal = internal;
    this.lock = platform.mutex('ioas_lock');
  }
}

function* addAccess(iopt: IoPagetable, access: IoptAccess): ModelTask<number> {
  yield* iopt.domainsRwsem.writeLock();
  yield* iopt.iovaRwsem.writeLock();
  iopt.accesses.push(access);
  const errno = ioptCalculateIovaAlignment(iopt);
  if (errno !== 0) iopt.accesses.pop();
  iopt.iovaRwsem.writeUnlock();
  iopt.domainsRwsem.writeUnlock();
  return errno;
}

function* removeAccess(iopt: IoPagetable, access: IoptAccess): ModelTask<void> {
  yield* iopt.domainsRwsem.writeLock();
  yield* iopt.iovaRwsem.writeLock();
  const at = iopt.accesses.indexOf(access);
  if (at >= 0) iopt.accesses.splice(at, 1);
  ioptCalculateIovaAlignment(iopt);
  iopt.iovaRwsem.writeUnlock();
  iopt.domainsRwsem.writeUnlock();
}

/** With the access's lock held, which is let go while the user unpins. */
function* changeIoas(access: IoptAccess, next: IoPagetable | null): ModelTask<number> {
  const current = access.iopt;
  if (access.ioptUnpin !== current) return -Errno.EBUSY;
  if (current === next) return 0;
  access.iopt = null;
  const errno = next === null ? 0 : yield* addAccess(next, access);
  if (errno !== 0) {
    access.iopt = current;
    return errno;
  }
  if (current !== null) {
    if (!access.internal && access.ops.unmap !== undefined) {
      access.lock.unlock();
      yield* access.ops.unmap(U64_ZERO, U64_MAX);
      yield* access.lock.lock();
    }
    yield* removeAccess(current, access);
  }
  access.iopt = next;
  access.ioptUnpin = next;
  return 0;
}

/**
 * Attaches a detached access: 0, -EINVAL when it is attached, -EBUSY while it is being detached, -EADDRINUSE when an
 * area is less aligned than it needs.
 * @kernel iommufd_access_attach
 * @public
 */
export function* iommufdAccessAttach(access: IoptAccess, iopt: IoPagetable): ModelTask<number> {
  yield* access.lock.lock();
  const errno = access.iopt === null ? yield* changeIoas(access, iopt) : -Errno.EINVAL;
  access.lock.unlock();
  return errno;
}

/**
 * Moves an attached access to another address space: 0, -ENOENT when it is detached, -EBUSY while it is being detached,
 * -EADDRINUSE.
 * @kernel iommufd_access_replace
 * @public
 */
export function* iommufdAccessReplace(access: IoptAccess, iopt: IoPagetable): ModelTask<number> {
  yield* access.lock.lock();
  const errno = access.iopt === null ? -Errno.ENOENT : yield* changeIoas(access, iopt);
  access.lock.unlock();
  return errno;
}

/**
 * Detaches an access; nothing happens when it is detached.
 * @kernel iommufd_access_detach
 * @public
 */
export function* iommufdAccessDetach(access: IoptAccess): ModelTask<void> {
  yield* access.lock.lock();
  if (access.iopt !== null) yield* changeIoas(access, null);
  access.lock.unlock();
}

/**
 * Asks every user of an address space to let go of `length` bytes at `iova`. No lock of the space is held.
 * @internal
 */
export function* notifyUnmap(iopt: IoPagetable, iova: U64, length: U64): ModelTask<void> {
  for (const access of [...iopt.accesses]) {
    if (!access.internal && access.ops.unmap !== undefined) yield* access.ops.unmap(iova, length);
  }
}
