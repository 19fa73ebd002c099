// The survey of an address space: holes on paper, a list that stays short, growth that is seen.
import { allocIova, freeIova, IovaDomain, reserveIova } from '@sgfree/iommu';
import { expect, it } from 'vitest';
import { fragmentationOf, SpaceSurvey } from './space-survey.ts';

const PAGE = 4096;
const domain = (): IovaDomain => new IovaDomain({ granule: PAGE, startPfn: 1 });

function allocated(iovad: IovaDomain, frames: number): number {
  const first = allocIova(iovad, frames, 2 ** 20 - 1, false);
  if (first === 0) throw new Error('no range');
  return first;
}

it('measures holes between ranges, reserved ones not counted', () => {
  const iovad = domain();
  reserveIova(iovad, 0xfee00, 0xfeeff);
  const reserved = iovad.ranges();
  expect(fragmentationOf(iovad, reserved)).toMatchObject({ ranges: 0, lowest: -1, holes: 0 });
  const starts = [1, 2, 3, 4].map((frames) => allocated(iovad, frames));
  freeIova(iovad, starts[1] as number);
  expect(fragmentationOf(iovad, reserved)).toEqual({
    ranges: 3,
    lowest: (2 ** 20 - 10) * PAGE,
    highest: 2 ** 32 - 1,
    usedBytes: 8 * PAGE,
    holes: 1,
    holeBytes: 2 * PAGE,
    largestHoleBytes: 2 * PAGE,
  });
});

it('ends a hole where a reserved range begins', () => {
  const iovad = domain();
  reserveIova(iovad, 0xffff0, 0xffff7);
  const reserved = iovad.ranges();
  const [first, , third] = [8, 4, 8].map((frames) => allocated(iovad, frames));
  expect(first).toBe(0xffff8);
  freeIova(iovad, 0xfffec);
  expect(fragmentationOf(iovad, reserved)).toMatchObject({
    ranges: 2,
    lowest: (third as number) * PAGE,
    holes: 1,
    holeBytes: 4 * PAGE,
  });
});

it('keeps few samples of many, evenly spread, and the worst moment', () => {
  const iovad = domain();
  const survey = new SpaceSurvey(iovad);
  for (let at = 1; at <= 100_000; at += 1) {
    if (at <= 1000) allocated(iovad, 1);
    survey.mapped(at);
  }
  expect(survey.samples.length).toBeLessThan(32);
  expect(survey.samples.length).toBeGreaterThan(8);
  const times = survey.samples.map(({ at }) => at);
  const steps = times.slice(1).map((at, index) => at - (times[index] as number));
  expect(Math.max(...steps)).toBeLessThanOrEqual(2 * Math.min(...steps));
  expect(survey.worst.ranges).toBe(1000);
  expect(survey.peakRanges).toBe(1000);
});

it('counts the most ranges exactly, and how they lay to a sixteenth, though they are gone when it looks', () => {
  const iovad = domain();
  const survey = new SpaceSurvey(iovad);
  const starts = Array.from({ length: 50 }, (_, at) => {
    const start = allocated(iovad, 64);
    survey.mapped(at);
    return start;
  });
  for (const start of starts) freeIova(iovad, start);
  survey.look(50);
  expect(survey.peakRanges).toBe(50);
  expect(survey.worst.ranges).toBeGreaterThan(46);
  expect(survey.worst.usedBytes).toBe(survey.worst.ranges * 64 * PAGE);
});
