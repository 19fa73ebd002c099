// The DMA direction of a request.
// Source followed: include/linux/blk-mq.h (rq_dma_dir).
// Simplified: reads and writes only.

import type { DmaDataDirection } from '@sgfree/dma-core';
import type { BlockRequest } from './block-request.ts';

/**
 * A read lets the device write memory, a write lets it read memory.
 * @public
 * @kernel rq_dma_dir
 */
export const rqDmaDir = (request: BlockRequest): DmaDataDirection =>
  request.operation === 'write' ? 'to-device' : 'from-device';
