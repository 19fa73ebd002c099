// The bench report: one row per case, with the native figure beside it where one exists. For programs the same as one
// JSON document.
// Simplified: figures are rounded to three digits for people; JSON has them as measured.

import Table from 'cli-table3';
import type { BenchRate } from './bench-case.ts';
import type { Measurement } from './measure.ts';

/** Version of the JSON document. */
export const BENCH_SCHEMA = 'sgfree/bench/v1';

/** What the yardstick is, in one sentence. */
export const YARDSTICK =
  'a chain of 36 dependent loads from a 4 KiB integer table, each with an add, an exclusive or and a mask';

/** One case: measured, or not proven and therefore not measured. */
export interface BenchResult {
  readonly name: string;
  readonly operation: string;
  readonly native: number | null;
  readonly measurement: Measurement | null;
  /** What an operation goes through. */
  readonly rates: readonly BenchRate[];
  /** Why the case could not be proven. */
  readonly failure: string | null;
}

/** Three significant digits, with thousands separated. */
export function threeDigits(figure: number): string {
  const [whole = '', fraction] = String(
    figure >= 100 ? Math.round(figure) : Number(figure.toPrecision(3)),
  ).split('.');
  return whole.replace(/\B(?=(\d{3})+$)/g, ',') + (fraction === undefined ? '' : `.${fraction}`);
}

/** How much goes through in a second, at the median time. */
const perSecond = ({ perOperation }: BenchRate, { nsPerOperation }: Measurement): number =>
  (perOperation * 1e9) / nsPerOperation.median;

const rateTexts = ({ rates, measurement }: BenchResult): string[] =>
  measurement === null
    ? []
    : rates.map((rate) => `${threeDigits(perSecond(rate, measurement))} ${rate.unit}/s`);

const times = (figure: number): string => `${threeDigits(figure)}x`;

const plain = {
  top: '',
  'top-mid': '',
  'top-left': '',
  'top-right': '',
  bottom: '',
  'bottom-mid': '',
  'bottom-left': '',
  'bottom-right': '',
  left: '',
  'left-mid': '',
  mid: '',
  'mid-mid': '',
  right: '',
  'right-mid': '',
  middle: '  ',
};

/** The report for people. */
export function benchTable(results: readonly BenchResult[]): string {
  return [timeTable(results), ...rateLines(results)].join('\n');
}

/** One line for each case that has rates, below the table. */
function rateLines(results: readonly BenchResult[]): string[] {
  const lines = results.flatMap((result) => {
    const texts = rateTexts(result);
    return texts.length > 0 ? [`${result.name}: ${texts.join(', ')}`] : [];
  });
  return lines.length > 0 ? ['', ...lines] : [];
}

function timeTable(results: readonly BenchResult[]): string {
  const table = new Table({
    head: ['case', 'ns/op', 'min', 'max', 'yardsticks', 'native ns', 'of native', 'yardstick ns'],
    chars: plain,
    style: { head: [], border: [], 'padding-left': 0, 'padding-right': 0 },
    colAligns: ['left', ...Array<'right'>(7).fill('right')],
  });
  for (const { name, native, measurement, failure } of results) {
    if (measurement === null) {
      table.push([name, { colSpan: 7, content: `NOT PROVEN: ${failure}` }]);
      continue;
    }
    const { nsPerOperation, yardsticks, yardstickNs } = measurement;
    table.push([
      name,
      threeDigits(nsPerOperation.median),
      threeDigits(nsPerOperation.min),
      threeDigits(nsPerOperation.max),
      times(yardsticks.median),
      native === null ? '-' : threeDigits(native),
      native === null ? '-' : times(nsPerOperation.median / native),
      threeDigits(yardstickNs.median),
    ]);
  }
  return table
    .toString()
    .split('\n')
    .map((line) => line.trimEnd())
    .join('\n');
}

/** The report for programs. */
export function benchJson(results: readonly BenchResult[], nodeVersion: string): unknown {
  return {
    schema: BENCH_SCHEMA,
    node: nodeVersion,
    yardstick: YARDSTICK,
    cases: results.map(({ name, operation, native, measurement, rates, failure }) => ({
      name,
      operation,
      proven: failure === null,
      failure,
      operationsPerSample: measurement?.operationsPerSample ?? null,
      nsPerOperation: measurement?.nsPerOperation ?? null,
      yardstickNs: measurement?.yardstickNs ?? null,
      yardsticks: measurement?.yardsticks ?? null,
      nativeNs: native,
      timesNative:
        measurement === null || native === null ? null : measurement.nsPerOperation.median / native,
      rates:
        measurement === null
          ? []
          : rates.map((rate) => ({ unit: `${rate.unit}/s`, median: perSecond(rate, measurement) })),
    })),
  };
}
