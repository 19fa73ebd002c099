// WorkCounts: what mapping and unmapping cost, read from the counters of hardware and IOMMU software.
// Source followed: vectors and cost sheets count the same things: IOVA allocations, page-table entries, invalidations.
// A scenario never counts by itself: it takes a sample before and one after, and keeps the difference.
// Simplified: one IOMMU unit per machine.

/**
 * Counted work; every field only ever grows.
 * @public
 */
export interface WorkCounts {
  /** Successful IOVA allocations, from cache or tree. */
  readonly iovaAllocations: number;
  /** Calls that put mappings into the page table, one per physically contiguous run. */
  readonly mapCalls: number;
  readonly unmapCalls: number;
  /** Leaf page-table entries written and cleared. */
  readonly entriesWritten: number;
  readonly entriesCleared: number;
  /** Invalidation commands and wait commands the unit executed. */
  readonly invalidationCommands: number;
  readonly invalidationWaits: number;
  /** Times a struct page had to be looked at. */
  readonly structPagesTouched: number;
}

/**
 * Reads the counters of a machine as they stand.
 * @public
 */
export type WorkSampler = () => WorkCounts;

/**
 * No work.
 * @public
 */
export const NO_WORK: WorkCounts = {
  iovaAllocations: 0,
  mapCalls: 0,
  unmapCalls: 0,
  entriesWritten: 0,
  entriesCleared: 0,
  invalidationCommands: 0,
  invalidationWaits: 0,
  structPagesTouched: 0,
};

function combine(left: WorkCounts, right: WorkCounts, sign: 1 | -1): WorkCounts {
  return {
    iovaAllocations: left.iovaAllocations + sign * right.iovaAllocations,
    mapCalls: left.mapCalls + sign * right.mapCalls,
    unmapCalls: left.unmapCalls + sign * right.unmapCalls,
    entriesWritten: left.entriesWritten + sign * right.entriesWritten,
    entriesCleared: left.entriesCleared + sign * right.entriesCleared,
    invalidationCommands: left.invalidationCommands + sign * right.invalidationCommands,
    invalidationWaits: left.invalidationWaits + sign * right.invalidationWaits,
    structPagesTouched: left.structPagesTouched + sign * right.structPagesTouched,
  };
}

/**
 * Adds the work of two stretches.
 * @public
 */
export const addWork = (left: WorkCounts, right: WorkCounts): WorkCounts => combine(left, right, 1);

/**
 * The work done between two samples.
 * @public
 */
export const workSince = (before: WorkCounts, after: WorkCounts): WorkCounts => combine(after, before, -1);

/**
 * Books the machine's work to accounts. Stretches nest: inner work is not booked to the outer account too.
 * @internal
 */
export class WorkMeter<Account extends string> {
  readonly #sample: WorkSampler;
  readonly #booked = new Map<Account, WorkCounts>();
  #inner: WorkCounts = NO_WORK;

  constructor(sample: WorkSampler) {
    this.#sample = sample;
  }

  /** What `account` has cost so far. */
  booked(account: Account): WorkCounts {
    return this.#booked.get(account) ?? NO_WORK;
  }

  /** Runs `stretch` and books its work to `account`. */
  book<T>(account: Account, stretch: () => T): T {
    const outerInner = this.#inner;
    this.#inner = NO_WORK;
    const before = this.#sample();
    try {
      return stretch();
    } finally {
      const whole = workSince(before, this.#sample());
      this.#booked.set(account, addWork(this.booked(account), workSince(this.#inner, whole)));
      this.#inner = addWork(outerInner, whole);
    }
  }
}
