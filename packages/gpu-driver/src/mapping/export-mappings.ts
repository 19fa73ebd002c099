// Exporting a buffer object with mapping types.
// Source followed: the RFC's dma_buf_export with match_mapping, under the rules of amdgpu_gem_prime_export and
// xe_gem_prime_export about what may be shared.
// Simplified: an object is exported once at a time; a second export hands out the same buffer.

import { type DmaBuf, type DmaBufMappingOps, dmaBufMappingExport } from '@sgfree/dma-buf';
import type { Outcome } from '@sgfree/mm';
import type { GpuBo } from '../objects/gpu-bo.ts';
import { sharedBuffer } from '../objects/shared-buffer.ts';
import { gpuMappingOps } from './gpu-mapping-ops.ts';

/**
 * The buffer over `bo`, with a reference for the caller; importers attach with mapping types. -EPERM for objects of user memory and
 * of one address space; the errors of the export.
 * @beta
 */
export function exportBoMappings(
  bo: GpuBo,
  ops: DmaBufMappingOps = gpuMappingOps(bo),
): Outcome<DmaBuf<unknown>> {
  return sharedBuffer<unknown>(bo, (info) => dmaBufMappingExport(bo.card.dmaBufs, { ...info, ops }));
}
