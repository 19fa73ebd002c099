// Stage 4 as a run: the same buffer, and no scatterlist inside RDMA.

export { stage4 } from './range-import-stage.ts';
