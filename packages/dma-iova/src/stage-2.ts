// What a driver can call at stage 2: as stage 1; a peer's BAR is linked with the MMIO attribute, without a struct page.

export { dmaIovaFree, dmaIovaTryAlloc } from './dma-iova-alloc.ts';
export { dmaIovaLink, dmaIovaSync } from './dma-iova-link.ts';
export { DmaIovaState, dmaIovaSize, dmaUseIova } from './dma-iova-state.ts';
export { dmaIovaDestroy, dmaIovaUnlink } from './dma-iova-unlink.ts';
