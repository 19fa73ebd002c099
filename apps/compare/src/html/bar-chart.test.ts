// Columns that stand on each other and on the floor, on the scale that lets every one of them be seen; text that stays text.
import { expect, it } from 'vitest';
import { type Bar, barChart, isLogarithmic } from './bar-chart.ts';
import { escaped } from './escaped.ts';

const bar = (...values: readonly number[]): Bar => ({
  label: 'stage',
  parts: values.map((value) => ({ look: 'main', value })),
});

/** Top and height of each rectangle. */
const drawn = (...bars: readonly Bar[]): (readonly [number, number])[] =>
  [...barChart('chart', bars).matchAll(/<rect [^>]*y="([\d.]+)" width="[\d.]+" height="([\d.]+)"/g)].map(
    ([, y, height]) => [Number(y), Number(height)],
  );

it('the scale is logarithmic where figures lie far apart', () => {
  expect(isLogarithmic([bar(1), bar(50)])).toBe(false);
  expect(isLogarithmic([bar(1), bar(51)])).toBe(true);
  expect(isLogarithmic([bar(0), bar(51)])).toBe(false);
  expect(isLogarithmic([bar(1), bar(25, 26)])).toBe(false);
  const [small, large] = drawn(bar(1), bar(10_000)).map(([, height]) => height);
  expect(small).toBeGreaterThan((large ?? 0) / 20);
});

it('parts stand on each other, a column without a figure has none, and none is left unseen', () => {
  const [lower = [0, 0], upper = [0, 0], ...more] = drawn(bar(30, 10), { label: 'none', parts: null });
  expect(more).toEqual([]);
  expect(upper[0] + upper[1]).toBeCloseTo(lower[0], 1);
  expect(lower[1]).toBeCloseTo(3 * upper[1], 1);
  expect(drawn(bar(0))).toEqual([]);
  expect(drawn(bar(1, 1000))[0]?.[1]).toBeGreaterThanOrEqual(1.5);
});

it('every column says its value', () => {
  const texts = (one: Bar): (string | undefined)[] =>
    [...barChart('chart', [one]).matchAll(/<text [^>]*>([^<]*)</g)].map(([, text]) => text);
  expect(texts(bar(9999))).toEqual(['9,999', 'stage']);
  expect(texts(bar(12_345_678))).toEqual(['12,346k', 'stage']);
  expect(texts({ label: 'stage', parts: null })).toEqual(['–', 'stage']);
});

it('text is escaped, in attributes too', () => {
  expect(escaped('a<b> & "c"')).toBe('a&lt;b&gt; &amp; &quot;c&quot;');
  expect(barChart('"x" onload="y', [])).toContain('aria-label="&quot;x&quot; onload=&quot;y"');
});
