// The newest surface of dma-iova: the two-step API.

export { dmaIovaFree, dmaIovaTryAlloc } from './dma-iova-alloc.ts';
export { dmaIovaLink, dmaIovaSync } from './dma-iova-link.ts';
export { DmaIovaState, dmaIovaSize, dmaUseIova } from './dma-iova-state.ts';
export { dmaIovaDestroy, dmaIovaUnlink } from './dma-iova-unlink.ts';
