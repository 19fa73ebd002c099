// StateGraph: the states that an exploration met, which step leads where, and how many schedules that makes.
// Source followed: none. Every step makes a state's depth greater by one, so the graph has no cycle and the number of
// paths through it, that is the number of schedules without any reduction, is a sum from the deepest states up.
// Simplified: counts above 2^53 are rounded.

import { InternalError } from '../internal-error.ts';
import { NumberedNames } from './numbered-names.ts';

/** States are numbers from 1 on. @internal */
export class StateGraph {
  readonly #names = new NumberedNames();
  readonly #depths = new Map<number, number>();
  readonly #successors = new Map<number, number[]>();
  /** Steps that led into a state met before. */
  joins = 0;
  /** Steps from state to state. */
  transitions = 0;

  get states(): number {
    return this.#depths.size;
  }

  get deepest(): number {
    return Math.max(0, ...new Set(this.#depths.values()));
  }

  numberOf(key: string): number {
    return this.#names.numberOf(key);
  }

  /** Notes that a run is in `state`; true when it had not been met. */
  enter(state: number, depth: number): boolean {
    const known = this.#depths.get(state);
    if (known !== undefined && known !== depth)
      throw new InternalError(`a state of depths ${known} and ${depth}`);
    if (known !== undefined) return false;
    this.#depths.set(state, depth);
    return true;
  }

  /** Notes a step; true when its end had not been met. */
  step(from: number, to: number, depth: number): boolean {
    this.transitions += 1;
    const successors = this.#successors.get(from);
    if (successors === undefined) this.#successors.set(from, [to]);
    else successors.push(to);
    const fresh = this.enter(to, depth);
    if (!fresh) this.joins += 1;
    return fresh;
  }

  /** Different schedules from `start` to an end. */
  schedules(start: number): number {
    const counts = new Map<number, number>();
    const deepestFirst = [...this.#depths].sort(([, a], [, b]) => b - a);
    for (const [state] of deepestFirst) {
      const successors = this.#successors.get(state);
      const sum = successors?.reduce((total, next) => total + (counts.get(next) ?? 0), 0);
      counts.set(state, sum ?? 1);
    }
    return counts.get(start) ?? 0;
  }
}
