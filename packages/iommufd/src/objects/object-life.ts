// The life of an object: taking a number, becoming visible, being looked up by running calls, being destroyed.
// Source followed: drivers/iommu/iommufd/main.c (_iommufd_object_alloc to iommufd_destroy) and the inline functions of
// iommufd_private.h.
// A destroyer never waits for dependants (-EBUSY); one that must succeed waits for running calls.
// Simplified: waiting for running calls has no time limit; a number is never kept as a tombstone.

import type { ModelTask } from '@sgfree/hw-model';
import { Errno, failure, type Outcome, success, warnViolation } from '@sgfree/mm';
import type { IommufdContext } from './iommufd-context.ts';
import type { IommufdObject } from './iommufd-object.ts';

/** Bytes that are asked of the allocator for an object. */
const OBJECT_BYTES = 512;

/**
 * Gives `obj` the lowest free number; it stays invisible. -ENOMEM, -EBUSY (no number is free).
 * @kernel _iommufd_object_alloc
 * @public
 */
export function iommufdObjectAlloc<T extends IommufdObject>(ctx: IommufdContext, obj: T): Outcome<T> {
  if (!ctx.platform.allocate(OBJECT_BYTES)) return failure(Errno.ENOMEM);
  const id = ctx.objects.reserve();
  if (!id.ok) return id;
  obj.id = id.value;
  return success(obj);
}

/**
 * Makes `obj` visible. From here on user space may destroy it at once.
 * @kernel iommufd_object_finalize
 * @public
 */
export function iommufdObjectFinalize(ctx: IommufdContext, obj: IommufdObject): void {
  ctx.objects.publish(obj);
}

/**
 * Takes back an object that was never visible and holds nothing.
 * @kernel iommufd_object_abort
 * @public
 */
export function iommufdObjectAbort(ctx: IommufdContext, obj: IommufdObject): void {
  ctx.objects.erase(obj.id);
  obj.users = 0;
}

/**
 * Takes back an object that was never visible, with what it holds already.
 * @kernel iommufd_object_abort_and_destroy
 * @public
 */
export function* iommufdObjectAbortAndDestroy(ctx: IommufdContext, obj: IommufdObject): ModelTask<void> {
  yield* obj.abort();
  iommufdObjectAbort(ctx, obj);
}

/**
 * Keeps `obj` for a running call; false when it is being destroyed.
 * @kernel iommufd_lock_obj
 * @public
 */
export function iommufdLockObj(obj: IommufdObject): boolean {
  if (obj.users === 0 || obj.waitCount === 0) return false;
  obj.users += 1;
  obj.waitCount += 1;
  return true;
}

/**
 * The visible object `id`, of one type or of any, kept for the running call; {@link iommufdPutObject} gives it back.
 * -ENOENT: unknown, invisible, of another type or being destroyed.
 * @kernel iommufd_get_object
 * @public
 */
export function iommufdGetObject(
  ctx: IommufdContext,
  id: number,
  type: IommufdObject['type'] | 'any',
): Outcome<IommufdObject> {
  const obj = ctx.objects.at(id);
  if (obj === undefined || (type !== 'any' && obj.type !== type)) return failure(Errno.ENOENT);
  return iommufdLockObj(obj) ? success(obj) : failure(Errno.ENOENT);
}

/**
 * The running call does not need `obj` any more.
 * @kernel iommufd_put_object
 * @public
 */
export function iommufdPutObject(obj: IommufdObject): void {
  obj.users -= 1;
  obj.waitCount -= 1;
}

/**
 * Takes `id` out of the table and destroys the object. With `toDestroy` the caller's reference of that object is given
 * back first. -ENOENT: not visible; -EBUSY: in use. `wait` waits for running calls, which else count as use.
 * @kernel iommufd_object_remove
 * @public
 */
export function* iommufdObjectRemove(
  ctx: IommufdContext,
  toDestroy: IommufdObject | null,
  id: number,
  wait = false,
): ModelTask<number> {
  if (wait && toDestroy !== null) yield* toDestroy.drain();
  const obj = ctx.objects.at(id);
  if (toDestroy !== null) toDestroy.users -= 1;
  if (obj === undefined || (toDestroy !== null && obj !== toDestroy)) return -Errno.ENOENT;
  if (obj.users !== 1) {
    if (wait) obj.waitCount = 1;
    return -Errno.EBUSY;
  }
  obj.users = 0;
  ctx.objects.erase(id);
  if (ctx.vfioIoas === obj) ctx.vfioIoas = null;
  if (!wait) yield* obj.drain();
  yield* obj.destroy();
  return 0;
}

/**
 * The driver that holds `obj` destroys it, after the calls that use it. Anything that depends on it is a violation.
 * @kernel iommufd_object_destroy_user
 * @public
 */
export function* iommufdObjectDestroyUser(ctx: IommufdContext, obj: IommufdObject): ModelTask<void> {
  const error = yield* iommufdObjectRemove(ctx, obj, obj.id, true);
  if (error !== 0) warnViolation(ctx.platform.log, 'iommufd-destroy-user-busy', { id: obj.id, error });
}

/**
 * Gives a reference of `obj` back and destroys it if the table's is the only one left.
 * @kernel iommufd_object_put_and_try_destroy
 * @public
 */
export function* iommufdObjectPutAndTryDestroy(ctx: IommufdContext, obj: IommufdObject): ModelTask<void> {
  yield* iommufdObjectRemove(ctx, obj, obj.id);
}

/**
 * User space destroys object `id`: 0, -ENOENT or -EBUSY.
 * @kernel iommufd_destroy
 * @public
 */
export function* iommufdDestroy(ctx: IommufdContext, id: number): ModelTask<number> {
  return yield* iommufdObjectRemove(ctx, null, id);
}
