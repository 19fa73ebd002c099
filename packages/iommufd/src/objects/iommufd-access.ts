// IommufdAccess: an in-kernel user of address spaces as an object of a context, with the references that it takes.
// Source followed: struct iommufd_access, iommufd_access_create, iommufd_access_attach, iommufd_access_replace,
// iommufd_access_detach and iommufd_access_destroy in drivers/iommu/iommufd/device.c.
// Simplified: none.

import { fput, getFile } from '@sgfree/dma-buf';
import type { ModelTask } from '@sgfree/hw-model';
import { Errno, type Outcome, success } from '@sgfree/mm';
import {
  type IommufdAccessOps,
  IoptAccess,
  iommufdAccessAttach,
  iommufdAccessDetach,
  iommufdAccessReplace,
} from '../access/iopt-access.ts';
import type { IoPagetable } from '../io-pagetable/io-pagetable.ts';
import type { IommufdContext } from './iommufd-context.ts';
import type { IommufdIoas } from './iommufd-ioas.ts';
import { IommufdObject, objectUnused, objectUsed } from './iommufd-object.ts';
import { iommufdGetIoas } from './lookup.ts';
import {
  iommufdObjectAlloc,
  iommufdObjectDestroyUser,
  iommufdObjectFinalize,
  iommufdPutObject,
} from './object-life.ts';

/**
 * An in-kernel user. What it does with memory goes through {@link IommufdAccess.access}.
 * @public
 */
export class IommufdAccess extends IommufdObject {
  readonly type = 'access';
  readonly ctx: IommufdContext;
  readonly access: IoptAccess;
  /** The address space it is attached to, of which it holds a reference. */
  ioas: IommufdIoas | null = null;

  constructor(ctx: IommufdContext, ops: IommufdAccessOps) {
    super();
    this.ctx = ctx;
    this.access = new IoptAccess(ctx.platform, ops);
  }

  *destroy(): ModelTask<void> {
    yield* this.detach();
    const { ctx } = this;
    yield* fput(ctx);
  }

  /** Attaches to address space `ioasId`: 0, -EINVAL (attached already), -ENOENT, -EBUSY, -EADDRINUSE (alignment). */
  *attach(ioasId: number): ModelTask<number> {
    const { access } = this;
    yield* access.lock.lock();
    const attached = access.iopt !== null;
    access.lock.unlock();
    if (attached) return -Errno.EINVAL;
    return yield* this.#change(ioasId, (iopt) => iommufdAccessAttach(access, iopt));
  }

  /** Moves to address space `ioasId`: 0, -ENOENT (unknown, or not attached), -EBUSY, -EADDRINUSE. */
  *replace(ioasId: number): ModelTask<number> {
    const { access } = this;
    return yield* this.#change(ioasId, (iopt) => iommufdAccessReplace(access, iopt));
  }

  /** Detaches; nothing happens when it is detached. */
  *detach(): ModelTask<void> {
    const { access, ioas } = this;
    yield* iommufdAccessDetach(access);
    if (ioas !== null && this.ioas === ioas) {
      this.ioas = null;
      objectUnused(ioas);
    }
  }

  *#change(ioasId: number, move: (iopt: IoPagetable) => ModelTask<number>): ModelTask<number> {
    const found = iommufdGetIoas(this.ctx, ioasId);
    if (!found.ok) return -found.errno;
    const next = found.value;
    const errno = yield* move(next.iopt);
    const left = this.ioas;
    if (errno === 0 && left !== next) {
      objectUsed(next);
      this.ioas = next;
      if (left !== null) objectUnused(left);
    }
    iommufdPutObject(next);
    return errno;
  }
}

/**
 * Makes an in-kernel user, which keeps the context open. -ENOMEM, -EBUSY.
 * @kernel iommufd_access_create
 * @public
 */
export function iommufdAccessCreate(ctx: IommufdContext, ops: IommufdAccessOps): Outcome<IommufdAccess> {
  const made = iommufdObjectAlloc(ctx, new IommufdAccess(ctx, ops));
  if (!made.ok) return made;
  getFile(ctx);
  objectUsed(made.value);
  iommufdObjectFinalize(ctx, made.value);
  return success(made.value);
}

/**
 * The driver gives the user up; it is detached first.
 * @kernel iommufd_access_destroy
 * @public
 */
export function* iommufdAccessDestroy(access: IommufdAccess): ModelTask<void> {
  yield* iommufdObjectDestroyUser(access.ctx, access);
}
