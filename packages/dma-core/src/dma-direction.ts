// DmaDataDirection: who writes and who reads a mapped buffer.
// Source followed: include/linux/dma-direction.h; the trace symbols of include/trace/events/dma.h.
// Simplified: the numbers of the C enum appear only where records are read.

import { DmaApiViolation } from '@sgfree/mm';

/**
 * Direction of a streaming mapping (`enum dma_data_direction`); 'none' is refused everywhere.
 * @public
 */
export type DmaDataDirection = 'bidirectional' | 'to-device' | 'from-device' | 'none';

/**
 * Throws for a direction that the kernel answers with BUG.
 * @internal
 */
export function checkDirection(dir: DmaDataDirection): void {
  if (dir !== 'to-device' && dir !== 'from-device' && dir !== 'bidirectional') {
    throw new DmaApiViolation('dma-bad-direction', `direction ${dir} is not valid for a mapping`);
  }
}

/**
 * The direction as trace events print it.
 * @public
 */
export const directionTraceName = (dir: DmaDataDirection): string => dir.toUpperCase().replace('-', '_');
