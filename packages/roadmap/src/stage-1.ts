// Stage 1 as a run: the two-step API of Linux 7.3.4.

export { stage1 } from './two-step-stage.ts';
