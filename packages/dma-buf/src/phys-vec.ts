// PhysVec: a range of CPU physical addresses, which needs no struct page.
// Source followed: include/linux/types.h (struct phys_vec).
// Simplified: none.

import type { PhysAddr } from '@sgfree/hw-model';

/**
 * `len` bytes from `paddr` on.
 * @public
 * @kernel struct phys_vec
 */
export interface PhysVec {
  readonly paddr: PhysAddr;
  readonly len: number;
}
