// What a driver can call at stage 1: a range of addresses first, memory behind it second.

export { dmaIovaFree, dmaIovaTryAlloc } from './dma-iova-alloc.ts';
export { dmaIovaLink, dmaIovaSync } from './dma-iova-link.ts';
export { DmaIovaState, dmaIovaSize, dmaUseIova } from './dma-iova-state.ts';
export { dmaIovaDestroy, dmaIovaUnlink } from './dma-iova-unlink.ts';
