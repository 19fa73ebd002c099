// Stage 5 as a run: the dma-buf operation without scatterlist, and the deprecated one beside it.

export { stage5 } from './range-list-stage.ts';
