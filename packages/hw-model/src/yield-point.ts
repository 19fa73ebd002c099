// YieldPoint: where a task lets others run. A kernel call that can sleep, a bus request, a doorbell wait.
// Source followed: the project's rule for time and concurrency (a sleeping call is a generator that yields a named point).
// A point with a condition blocks its task until the condition holds; one without is only a chance to be overtaken.
// Simplified: no priorities and no interrupts; code between two points is atomic.

/**
 * A named place where a task may be suspended.
 * @public
 */
export interface YieldPoint {
  /** Namespaced name, e.g. `dma:write` or `dma-resv:lock`. */
  readonly at: string;
  /** The task stays blocked while this is false. Must be free of side effects: it is asked any number of times. */
  readonly until?: () => boolean;
  /**
   * Everything that `until` looks at, and that the task may read or change from here to its next point, the code of its
   * callers included. Absent: anything. An explorer takes steps without a common object for independent.
   */
  readonly touches?: readonly object[];
}

/**
 * What the scheduler runs: a generator that yields named points and returns its result.
 * @public
 */
export type ModelTask<T> = Generator<YieldPoint, T, void>;
