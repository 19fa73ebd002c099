// IommufdObject: anything user space can name by a number in a context: an address space, a page table, a device.
// Source followed: struct iommufd_object and enum iommufd_object_type in drivers/iommu/iommufd/iommufd_private.h.
// `users` are all references, the table's own among them; `waitCount` are those that a destroyer waits for.
// Simplified: counts are plain numbers; their bounds are not checked by hardware.

import { InternalError, type ModelTask, type YieldPoint } from '@sgfree/hw-model';

/**
 * Kinds of objects.
 * @kernel iommufd_object_type
 * @public
 */
export type IommufdObjectType =
  | 'device'
  | 'hwpt-paging'
  | 'hwpt-nested'
  | 'ioas'
  | 'access'
  | 'fault'
  | 'viommu'
  | 'vdevice'
  | 'veventq'
  | 'hw-queue'
  | 'selftest';

/**
 * What every object has.
 * @kernel iommufd_object
 * @public
 */
export abstract class IommufdObject {
  abstract readonly type: IommufdObjectType;
  /** The number in the context's table; 0 before one is taken. */
  id = 0;
  /** References: one of the table, one for each object or driver that depends on this one, one for each running call. */
  users = 1;
  /** The running calls among them, and one until it is destroyed. */
  waitCount = 1;
  readonly #drained: YieldPoint = { at: 'iommufd_object:wait', until: () => this.waitCount === 0 };

  /** Gives back everything the object holds; nobody can find it any more. */
  abstract destroy(): ModelTask<void>;

  /** The same for an object that was never published; locks of the call that made it are still held. */
  *abort(): ModelTask<void> {
    yield* this.destroy();
  }

  /** Waits until no call uses the object any more. @internal */
  *drain(): ModelTask<void> {
    this.waitCount -= 1;
    const point = this.#drained;
    yield point;
  }
}

/**
 * An object starts to depend on `obj`, which keeps it from being destroyed.
 * @internal
 */
export function objectUsed(obj: IommufdObject, times = 1): void {
  if (obj.users === 0) throw new InternalError(`object ${obj.id} is used after its end`);
  obj.users += times;
}

/**
 * A dependency on `obj` ends.
 * @internal
 */
export function objectUnused(obj: IommufdObject, times = 1): void {
  if (obj.users <= times) throw new InternalError(`object ${obj.id} has fewer users than are given back`);
  obj.users -= times;
}
