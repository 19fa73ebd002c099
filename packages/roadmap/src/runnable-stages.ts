// The stages that can be run today, in order of the road.
// Source followed: the road table.
// Simplified: none.

import type { RunnableStage } from './scenario.ts';
import { stage0 } from './stage-0.ts';
import { stage1 } from './stage-1.ts';
import { stage2 } from './stage-2.ts';

/**
 * Every stage this project can run.
 * @public
 */
export const runnableStages: readonly RunnableStage[] = [stage0, stage1, stage2];
