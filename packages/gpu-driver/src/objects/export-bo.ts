// Exporting a buffer object with operations that make tables.
// Source followed: amdgpu_gem_prime_export, xe_gem_prime_export.
// Simplified: none.

import type { DmaBuf } from '@sgfree/dma-buf';
import { type DmaBufOps, dmaBufExport } from '@sgfree/dma-buf/stage-3';
import type { Outcome } from '@sgfree/mm';
import type { GpuBo } from './gpu-bo.ts';
import { sharedBuffer } from './shared-buffer.ts';

/**
 * The buffer over `bo`, with a reference for the caller. -EPERM for objects of user memory and of one address space; the
 * errors of the export.
 * @public
 */
export function exportBo<Mapping>(bo: GpuBo, ops: DmaBufOps<Mapping>): Outcome<DmaBuf<Mapping>> {
  return sharedBuffer<Mapping>(bo, (info) => dmaBufExport<Mapping>(bo.card.dmaBufs, { ...info, ops }));
}
