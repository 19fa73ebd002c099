// DmaIovaState: one range of DMA addresses that a caller fills piece by piece. This is all the two-step API remembers:
// 16 bytes, whatever the number of pieces.
// Source followed: include/linux/dma-mapping.h (struct dma_iova_state, dma_use_iova, dma_iova_size).
// Simplified: the swiotlb bit of `__size` is a field of its own.

import { type DmaAddr, dmaAddr } from '@sgfree/hw-model';

/**
 * A range of DMA addresses. A fresh state is unused; {@link dmaIovaTryAlloc} fills it, nothing clears it again.
 * @public
 * @kernel struct dma_iova_state
 */
export class DmaIovaState {
  /** First address; keeps the offset in the granule of the first piece. */
  addr: DmaAddr = dmaAddr(0);
  /** Bytes, 0 = unused. Bit 63 of `__size` is {@link DmaIovaState.usesSwiotlb}. */
  size = 0;
  /** True when some piece went through the bounce pool (`DMA_IOVA_USE_SWIOTLB`). */
  usesSwiotlb = false;
}

/**
 * True when `state` holds a range; still true after {@link dmaIovaDestroy}.
 * @public
 * @kernel dma_use_iova
 */
export const dmaUseIova = (state: DmaIovaState): boolean => state.size !== 0;

/**
 * Bytes of the range.
 * @public
 * @kernel dma_iova_size
 */
export const dmaIovaSize = (state: DmaIovaState): number => state.size;
