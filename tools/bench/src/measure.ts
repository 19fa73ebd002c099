// Measuring: operations are counted so that a sample lasts long enough for the clock, samples of the case and of the
// yardstick alternate, and a case is divided by the mean of the two yardstick samples around it.
// Simplified: no outlier is removed; median, least and greatest are printed instead.

/** The clock, in nanoseconds; a test gives its own. */
export type NanosecondClock = () => number;

/** The clock of the process. */
export const processClock: NanosecondClock = () => Number(process.hrtime.bigint());

/** How long things are run. */
export interface MeasurePlan {
  readonly samples: number;
  readonly sampleNs: number;
  readonly warmUpNs: number;
}

/** Median, least and greatest of some figures. */
export interface Spread {
  readonly median: number;
  readonly min: number;
  readonly max: number;
}

/** One measured case. */
export interface Measurement {
  readonly operationsPerSample: number;
  readonly nsPerOperation: Spread;
  readonly yardstickNs: Spread;
  /** The case divided by the yardstick, sample by sample. */
  readonly yardsticks: Spread;
}

/** Median, least and greatest; the median of an even number is the mean of the middle two. */
export function spreadOf(figures: readonly number[]): Spread {
  const sorted = [...figures].sort((a, b) => a - b);
  const middle = sorted.length / 2;
  const low = sorted[Math.ceil(middle) - 1] ?? Number.NaN;
  const high = sorted[Math.floor(middle)] ?? Number.NaN;
  return { median: (low + high) / 2, min: sorted[0] ?? Number.NaN, max: sorted.at(-1) ?? Number.NaN };
}

function timed(run: (operations: number) => void, operations: number, clock: NanosecondClock): number {
  const start = clock();
  run(operations);
  return clock() - start;
}

const GREATEST_COUNT = 2 ** 30;

/** Warms up, then finds the number of operations that fills a sample. */
export function countForSample(
  run: (operations: number) => void,
  plan: MeasurePlan,
  clock: NanosecondClock,
): number {
  let operations = 1;
  let spent = 0;
  for (;;) {
    const elapsed = Math.max(1, timed(run, operations, clock));
    spent += elapsed;
    const wanted = Math.round((operations * plan.sampleNs) / elapsed);
    if (spent >= plan.warmUpNs && wanted < operations * 2) return Math.max(1, wanted);
    operations = Math.min(GREATEST_COUNT, Math.max(1, wanted), operations * 4);
    if (operations === GREATEST_COUNT) return operations;
  }
}

/** Measures a case between samples of the yardstick. */
export function measure(
  run: (operations: number) => void,
  yardstick: (units: number) => void,
  plan: MeasurePlan,
  clock: NanosecondClock,
): Measurement {
  const units = countForSample(yardstick, plan, clock);
  const operations = countForSample(run, plan, clock);
  const yards = [timed(yardstick, units, clock) / units];
  const cases: number[] = [];
  const ratios: number[] = [];
  for (let sample = 0; sample < plan.samples; sample++) {
    const figure = timed(run, operations, clock) / operations;
    const before = yards[sample] ?? Number.NaN;
    const after = timed(yardstick, units, clock) / units;
    yards.push(after);
    cases.push(figure);
    ratios.push(figure / ((before + after) / 2));
  }
  return {
    operationsPerSample: operations,
    nsPerOperation: spreadOf(cases),
    yardstickNs: spreadOf(yards),
    yardsticks: spreadOf(ratios),
  };
}
