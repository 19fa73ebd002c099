// ReplayBatch: calls that wait for the runs: each run then makes many of them in a row, while its tables are at hand.
// Source followed: none; runs do not see each other, so that only the order within a run matters.
// Simplified: a fixed number of calls.

import type { ReplayMapping } from './replay-mapping.ts';
import type { ReplayRun } from './replay-run.ts';

const MOST_CALLS = 1024;
const MAPS = -1;

/** Calls in the order of the trace. */
export class ReplayBatch {
  readonly #runs: readonly ReplayRun[];
  readonly #mappings: ReplayMapping[] = [];
  readonly #ms = new Float64Array(MOST_CALLS);
  /** CPU that unmaps, or that the call maps. */
  readonly #cpus = new Int32Array(MOST_CALLS);

  constructor(runs: readonly ReplayRun[]) {
    this.#runs = runs;
  }

  /** A mapping is made. */
  map(mapping: ReplayMapping, ms: number): void {
    this.#add(mapping, ms, MAPS);
  }

  /** It is undone on `cpu`. */
  unmap(mapping: ReplayMapping, ms: number, cpu: number): void {
    this.#add(mapping, ms, cpu);
  }

  /** Lets every run make the calls that wait. */
  flush(): void {
    for (const run of this.#runs) this.#play(run);
    this.#mappings.length = 0;
  }

  #add(mapping: ReplayMapping, ms: number, cpu: number): void {
    const at = this.#mappings.length;
    this.#ms[at] = ms;
    this.#cpus[at] = cpu;
    this.#mappings.push(mapping);
    if (at + 1 === MOST_CALLS) this.flush();
  }

  #play(run: ReplayRun): void {
    const mappings = this.#mappings;
    for (let at = 0; at < mappings.length; at += 1) {
      const mapping = mappings[at] as ReplayMapping;
      const ms = this.#ms[at] as number;
      const cpu = this.#cpus[at] as number;
      if (cpu === MAPS) run.map(mapping, ms);
      else run.unmap(mapping, ms, cpu);
    }
  }
}
