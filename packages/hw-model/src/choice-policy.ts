// ChoicePolicy: who runs next. The only source of nondeterminism of a machine, and so the only thing to record.
// Source followed: stateless exploration (a run is a function of its choice list); generator "mulberry32" for seeds.
// Simplified: choices are indexes into the runnable tasks in spawn order; fairness is not enforced.

import { InternalError } from './internal-error.ts';

/**
 * Picks the index of the next task out of `runnableCount` (at least 2) runnable ones.
 * @public
 */
export type ChoicePolicy = (runnableCount: number) => number;

/**
 * A reproducible stream of 32-bit unsigned numbers for a seed (any number; its low 32 bits count).
 * @public
 */
export function seededNumbers(seed: number): () => number {
  // Kept signed: a 32-bit signed integer costs no allocation.
  let state = seed | 0;
  return () => {
    state = (state + 0x6d2b79f5) | 0;
    let mixed = Math.imul(state ^ (state >>> 15), state | 1);
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61);
    return (mixed ^ (mixed >>> 14)) >>> 0;
  };
}

/**
 * Chooses at random, the same way for the same seed.
 * @public
 */
export function seededChoices(seed: number): ChoicePolicy {
  const next = seededNumbers(seed);
  return (runnableCount) => Math.floor((next() / 2 ** 32) * runnableCount);
}

/**
 * Always the task that was spawned first.
 * @public
 */
export const firstChoice: ChoicePolicy = () => 0;

/**
 * Replays a recorded list of choices, then hands over to `afterwards` (default {@link firstChoice}).
 * Throws {@link InternalError} when a choice does not fit the run: the run is then not the recorded one.
 * @public
 */
export function replayedChoices(
  choices: readonly number[],
  afterwards: ChoicePolicy = firstChoice,
): ChoicePolicy {
  let position = 0;
  return (runnableCount) => {
    const choice = choices[position];
    if (choice === undefined) return afterwards(runnableCount);
    position += 1;
    if (choice >= runnableCount) {
      throw new InternalError(`choice ${position - 1} is ${choice}, but only ${runnableCount} tasks can run`);
    }
    return choice;
  };
}
