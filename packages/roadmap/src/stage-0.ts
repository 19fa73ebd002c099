// Stage 0 as a run: the scatterlist road.

export { stage0 } from './scatterlist-stage.ts';
