// dma_mapping_error: the question every driver has to ask about what a mapping returned.
// Source followed: include/linux/dma-mapping.h (dma_mapping_error). The checker remembers who asked.
// Simplified: none.

import { Errno } from '@sgfree/mm';
import { debugDmaMappingError } from './debug/debug-mapping.ts';
import type { Device } from './device.ts';
import { DMA_MAPPING_ERROR } from './dma-mask.ts';

/**
 * -ENOMEM when `address` is {@link DMA_MAPPING_ERROR}, else 0.
 * @public
 * @kernel dma_mapping_error
 */
export function dmaMappingError(dev: Device, address: number): number {
  if (dev.platform.debug !== null) debugDmaMappingError(dev, address);
  return address === DMA_MAPPING_ERROR ? -Errno.ENOMEM : 0;
}
