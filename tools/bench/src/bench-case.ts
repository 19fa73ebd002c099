// BenchCase: one timed operation of the model. The runner proves it first and times it afterwards.

/** Something that operations go through, so that they have a rate besides their time. */
export interface BenchRate {
  /** E.g. `MB`, `events`; the report puts `/s` behind it. */
  readonly unit: string;
  /** How much of it one operation goes through. */
  readonly perOperation: number;
}

/** A prepared case: state is built, results are proven, `run` is ready to be timed. */
export interface PreparedCase {
  /** Performs `operations` operations, leaving the state as it found it. */
  run(operations: number): void;
  /** What is to be told as rates too. */
  readonly rates?: readonly BenchRate[];
}

export interface BenchCase {
  /** Stable name, e.g. `iova/pair/cached`. */
  readonly name: string;
  /** One sentence: what one operation is. */
  readonly operation: string;
  /** Builds the state and proves the results against the oracle; throws when they differ. */
  prepare(): PreparedCase;
}
