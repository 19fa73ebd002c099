// StageChoice: which stages of the road one `sgfree compare` runs: all that can be run, or the one that was asked for.
// Source followed: the road table.
// Simplified: one stage or all.

import {
  type ExportingStage,
  exportingStages,
  type RunnableStage,
  runnableStages,
  theRoad,
} from '@sgfree/roadmap';
import { InvalidArgumentError } from 'commander';

/** The stages to run, by what they are run on. */
export interface StageChoice {
  /** On data in RAM and in a peer's BAR. */
  readonly storage: readonly RunnableStage[];
  /** On an exported BAR. */
  readonly exporting: readonly ExportingStage[];
  /** True when memory is taken back under traffic: stage 6. */
  readonly revoke: boolean;
  /** True when that is done over range lists, too: stage 5. */
  readonly rangeListRevoke: boolean;
  /** True when a guest maps the memory: stage 7. */
  readonly guestSpace: boolean;
  /** True when a graphics card's memory is shared: stage 8. */
  readonly gpuExchange: boolean;
}

const REVOKE_STAGE = 6;
const RANGE_LIST_STAGE = 5;
/** The stage whose doors can be chosen. */
export const GUEST_SPACE_STAGE = 7;
/** The stage of a card's memory, which has faults of its own. */
export const GPU_EXCHANGE_STAGE = 8;

/** The stages that can be run, or stage `only` of them. */
export function chosenStages(only: number | undefined): StageChoice {
  const wanted = ({ stage }: { readonly stage: number }): boolean => only === undefined || stage === only;
  return {
    storage: runnableStages.filter(wanted),
    exporting: exportingStages.filter(wanted),
    revoke: wanted({ stage: REVOKE_STAGE }),
    rangeListRevoke: wanted({ stage: RANGE_LIST_STAGE }),
    guestSpace: wanted({ stage: GUEST_SPACE_STAGE }),
    gpuExchange: wanted({ stage: GPU_EXCHANGE_STAGE }),
  };
}

/** True where a request list is run: with data in RAM, or in a peer's BAR. */
export const runsLists = ({ storage, exporting }: StageChoice): boolean =>
  storage.length + exporting.length > 0;

/** The number of a stage on the command line. Throws for one that is not on the road. */
export function stageNumber(text: string): number {
  const found = theRoad.find(({ stage }) => String(stage) === text);
  if (found === undefined) throw new InvalidArgumentError(`a stage of the road, 0 to ${theRoad.length - 1}`);
  return found.stage;
}
