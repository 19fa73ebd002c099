// Choice policies: a seed is a run, a recorded list is the same run, and a list that does not fit is noticed.
import { describe, expect, it } from 'vitest';
import { firstChoice, replayedChoices, seededChoices, seededNumbers } from './choice-policy.ts';
import { InternalError } from './internal-error.ts';

describe('seeded numbers', () => {
  it('are 32 bits, the same for the same seed, others for another', () => {
    const draw = (seed: number) => Array.from({ length: 50 }, seededNumbers(seed));
    expect(draw(7)).toEqual(draw(7));
    expect(draw(7)).not.toEqual(draw(8));
    expect(draw(7)).toEqual(draw(7 + 2 ** 32));
    for (const value of draw(-1)) expect(value >= 0 && value < 2 ** 32 && Number.isInteger(value)).toBe(true);
  });

  it('start as the published generator does', () => {
    // mulberry32 of seed 0 and 1, computed with 64-bit integers from the published definition.
    expect([seededNumbers(0)(), seededNumbers(1)()]).toEqual([mulberry32(0n), mulberry32(1n)]);
  });
});

function mulberry32(seed: bigint): number {
  const low = (value: bigint): bigint => value & 0xffffffffn;
  const state = low(seed + 0x6d2b79f5n);
  let mixed = low((state ^ (state >> 15n)) * (state | 1n));
  mixed = low(mixed ^ low(mixed + low((mixed ^ (mixed >> 7n)) * (mixed | 61n))));
  return Number(mixed ^ (mixed >> 14n));
}

describe('policies', () => {
  it('choose every task at times and nothing else', () => {
    const choose = seededChoices(3);
    const seen = new Set(Array.from({ length: 200 }, () => choose(5)));
    expect([...seen].sort((a, b) => a - b)).toEqual([0, 1, 2, 3, 4]);
  });

  it('replay a list, then go on as told', () => {
    const replay = replayedChoices([1, 0, 2], (count) => count - 1);
    expect([replay(2), replay(2), replay(3), replay(9)]).toEqual([1, 0, 2, 8]);
    expect(replayedChoices([])(4)).toBe(firstChoice(4));
  });

  it('refuse a list of another run', () => {
    expect(() => replayedChoices([2])(2)).toThrow(InternalError);
  });
});
