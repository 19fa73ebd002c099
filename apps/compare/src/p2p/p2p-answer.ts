// P2pAnswer: a question about a machine with all that is needed to answer it, in whatever form.
// Source followed: none.
// Simplified: printers judge the pairs themselves.

import type { Progress } from '../progress.ts';
import type { Judge, P2pCase } from './p2p-case.ts';
import type { P2pQuestion } from './p2p-question.ts';
import type { WhatIfState } from './what-if-state.ts';

/** A question about a machine with all that is needed to answer it. */
export interface P2pAnswer {
  readonly asked: P2pCase;
  readonly question: P2pQuestion;
  /** The machine as dumped. */
  readonly judge: Judge;
  /** The machine after `--what-if`. */
  readonly whatIf: WhatIfState | null;
  readonly progress: Progress;
}
