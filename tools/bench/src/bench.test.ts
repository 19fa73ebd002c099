import { expect, test } from 'vitest';
import type { BenchCase } from './bench-case.ts';
import { threeDigits } from './bench-report.ts';
import { type BenchWorld, runBench } from './command-line.ts';
import { countForSample, measure, spreadOf } from './measure.ts';
import { runYardstick } from './yardstick.ts';

// A clock that moves only when work is done, so that nothing here depends on real time.
function fakeTime(): { now: () => number; spend: (ns: number) => void } {
  let now = 0;
  return {
    now: () => now,
    spend: (ns) => {
      now += ns;
    },
  };
}

const plan = { samples: 5, sampleNs: 1e6, warmUpNs: 3e6 };

test('the median of an even number of figures is the mean of the middle two', () => {
  expect(spreadOf([3, 1, 2])).toEqual({ median: 2, min: 1, max: 3 });
  expect(spreadOf([4, 1, 2, 3])).toEqual({ median: 2.5, min: 1, max: 4 });
});

test.each([0.5, 25, 1e4, 5e6])('operations of %d ns fill a sample after the warm-up', (cost) => {
  const time = fakeTime();
  let done = 0;
  const run = (operations: number): void => {
    done += operations;
    time.spend(operations * cost);
  };
  expect(countForSample(run, plan, time.now)).toBe(Math.max(1, Math.round(plan.sampleNs / cost)));
  expect(done * cost).toBeGreaterThanOrEqual(plan.warmUpNs);
});

test('case and yardstick alternate, and a slower machine changes the nanoseconds but not the ratio', () => {
  for (const slowness of [1, 7]) {
    const time = fakeTime();
    const order: string[] = [];
    const work =
      (name: string, cost: number) =>
      (operations: number): void => {
        order.push(name);
        time.spend(operations * cost * slowness);
      };
    const result = measure(work('case', 40), work('yard', 100), plan, time.now);
    expect(result.nsPerOperation).toEqual({ median: 40 * slowness, min: 40 * slowness, max: 40 * slowness });
    expect(result.yardsticks.median).toBeCloseTo(0.4);
    expect(order.slice(-11).join(' ')).toBe(`yard${' case yard'.repeat(5)}`);
  }
});

test('the yardstick is a fixed computation', () => {
  expect(runYardstick(0)).toBe(0);
  expect(runYardstick(10)).toBe(runYardstick(10));
  expect(runYardstick(10)).not.toBe(runYardstick(11));
});

test.each([
  [0.1234, '0.123'],
  [8.94, '8.94'],
  [12.34, '12.3'],
  [932, '932'],
  [1708.4, '1,708'],
  [2580000, '2,580,000'],
])('%d is printed as %s', (figure, text) => {
  expect(threeDigits(figure)).toBe(text);
});

function world(cases: readonly BenchCase[]): { world: BenchWorld; printed: { out: string; err: string } } {
  const time = fakeTime();
  const printed = { out: '', err: '' };
  return {
    printed,
    world: {
      cases,
      stderrIsTerminal: false,
      nodeVersion: 'v0',
      sampleNs: 1e5,
      warmUpNs: 1e5,
      clock: () => {
        time.spend(1e6);
        return time.now();
      },
      out: (text) => {
        printed.out += text;
      },
      err: (text) => {
        printed.err += text;
      },
    },
  };
}

const good: BenchCase = {
  name: 'iova/pair/cached',
  operation: 'one pair',
  prepare: () => ({ run: () => {} }),
};
const unproven: BenchCase = {
  name: 'made/up',
  operation: 'none',
  prepare: () => {
    throw new RangeError('oracle differs');
  },
};

test('a table with the native figure beside the case; exit 0', () => {
  const one = world([good]);
  expect(runBench([], one.world)).toBe(0);
  expect(one.printed.out).toMatch(/^case +ns\/op .*\niova\/pair\/cached +[\d,]+ .* 8\.9 /);
  expect(one.printed.err).toBe('');
});

test('a case that cannot be proven is not timed; exit 1', () => {
  const both = world([good, unproven]);
  expect(runBench(['--json', '--samples', '3'], both.world)).toBe(1);
  const report = JSON.parse(both.printed.out);
  expect(report.schema).toBe('sgfree/bench/v1');
  expect(report.cases[0]).toMatchObject({ name: 'iova/pair/cached', proven: true, nativeNs: 8.9 });
  expect(report.cases[1]).toMatchObject({ proven: false, nsPerOperation: null, nativeNs: null });
});

test('what an operation goes through is told as a rate', () => {
  const reading: BenchCase = {
    name: 'made/up-reading',
    operation: 'a megabyte',
    prepare: () => ({ run: () => {}, rates: [{ unit: 'MB', perOperation: 3 }] }),
  };
  const one = world([reading, good]);
  expect(runBench([], one.world)).toBe(0);
  expect(one.printed.out).toMatch(/\nmade\/up-reading: [\d,.]+ MB\/s\n/);
  const json = world([reading, good]);
  expect(runBench(['--json'], json.world)).toBe(0);
  const [first, second] = JSON.parse(json.printed.out).cases;
  expect(first.rates).toEqual([{ unit: 'MB/s', median: 3e9 / first.nsPerOperation.median }]);
  expect(second.rates).toEqual([]);
});

test('--filter chooses cases', () => {
  const both = world([good, unproven]);
  expect(runBench(['--filter', 'IOVA'], both.world)).toBe(0);
  expect(both.printed.out).not.toContain('made/up');
});

test.each([
  [['--samples', '0']],
  [['--samples', 'x']],
  [['--sample', '3']],
  [['--filter', 'zzz']],
  [['extra']],
])('bad usage %j exits 2 and says where help is', (argv) => {
  const one = world([good]);
  expect(runBench(argv, one.world)).toBe(2);
  expect(one.printed.out).toBe('');
  expect(one.printed.err).toContain('--help');
});
