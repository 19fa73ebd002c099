// Answer: how a call that makes an object tells its number to user space before the object becomes visible.
// Source followed: iommufd_ucmd_respond before iommufd_object_finalize in drivers/iommu/iommufd.
// Simplified: none.

import type { ModelTask } from '@sgfree/hw-model';

/**
 * Tells user space the number of a new object; 0, or an error that undoes the object.
 * @public
 */
export type IommufdAnswer = (id: number) => ModelTask<number>;

/**
 * The answer of a call that is not made through bytes: nothing can go wrong.
 * @internal
 */
export function* noAnswer(): ModelTask<number> {
  yield* [];
  return 0;
}
