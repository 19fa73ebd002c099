// The stages about an exported BAR that can be run today, in order of the road.
// Source followed: the road table.
// Simplified: none.

import type { ExportingStage } from './scenario.ts';
import { stage3 } from './stage-3.ts';
import { stage4 } from './stage-4.ts';
import { stage5 } from './stage-5.ts';

/**
 * Every stage that shares a BAR as a dma-buf and can be run.
 * @public
 */
export const exportingStages: readonly ExportingStage[] = [stage3, stage4, stage5];
