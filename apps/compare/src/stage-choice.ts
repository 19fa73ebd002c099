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
}

const REVOKE_STAGE = 6;
const RANGE_LIST_STAGE = 5;
/** The stage whose doors can be chosen. */
export const GUEST_SPACE_STAGE = 7;

/** The stages that can be run, or stage `only` of them. */
export function chosenStages(only: number | undefined): StageChoice {
  const wanted = ({ stage }: { readonly stage: number }): boolean => only === undefined || stage === only;
  return {
    storage: runnableStages.filter(wanted),
    exporting: exportingStages.filter(wanted),
    revoke: wanted({ stage: REVOKE_STAGE }),
    rangeListRevoke: wanted({ stage: RANGE_LIST_STAGE }),
    guestSpace: wanted({ stage: GUEST_SPACE_STAGE }),
  };
}

/** The number of a stage on the command line. Throws for one that is not on the road or cannot be run yet. */
export function stageNumber(text: string): number {
  const found = theRoad.find(({ stage }) => String(stage) === text);
  if (found === undefined)
    throw new InvalidArgumentError(`not a stage of the road, 0 to ${theRoad.length - 1}`);
  if (!found.runnable)
    throw new InvalidArgumentError(`stage ${text} cannot be run yet: ${runnableText()} can`);
  return found.stage;
}

function runnableText(): string {
  const numbers = theRoad.filter(({ runnable }) => runnable).map(({ stage }) => stage);
  return `${numbers.slice(0, -1).join(', ')} and ${numbers.at(-1)}`;
}
