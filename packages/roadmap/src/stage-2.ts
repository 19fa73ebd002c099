// Stage 2 as a run: the DMA API without struct page, peer-to-peer included.

export { stage2 } from './physical-range-stage.ts';
