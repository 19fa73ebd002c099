// Every order of refusals as data: each rung alone, and each rung with all those behind it.
import { Errno, type ErrnoName } from '@sgfree/mm';
import { describe, expect, it } from 'vitest';
import { AbiWorld, NOTHING_LEFT } from './abi-world.ts';
import { HWPT_LADDERS } from './tables-abi/hwpt-ladders.ts';
import { IOAS_LADDERS } from './tables-abi/ioas-ladders.ts';
import type { Ladder, Rung } from './tables-abi/ladder.ts';
import { MAP_LADDERS } from './tables-abi/map-ladders.ts';

const LADDERS: readonly Ladder[] = [...IOAS_LADDERS, ...MAP_LADDERS, ...HWPT_LADDERS];

const numberOf = (name: ErrnoName | undefined): number => (name === undefined ? 0 : Errno[name]);

/** The answer to the right call with `wrong` rungs, of which the first one wins where two change one field. */
function answer(ladder: Ladder, wrong: readonly Rung[]): number {
  const world = new AbiWorld().populate();
  ladder.prepare?.(world);
  const fields = { ...ladder.right(world) };
  for (const { wrong: change } of [...wrong].reverse()) Object.assign(fields, change(world));
  const { errno } = world.call(ladder.call, fields);
  expect(world.close()).toEqual(NOTHING_LEFT);
  return errno;
}

describe.each(LADDERS.map((ladder) => [ladder.key, ladder] as const))('%s', (_, ladder) => {
  it('answers the right call', () => {
    expect(answer(ladder, [])).toBe(numberOf(ladder.answer));
  });

  it.each(ladder.rungs.map((rung) => [rung.key, rung] as const))('refuses %s', (_key, rung) => {
    expect(answer(ladder, [rung])).toBe(Errno[rung.errno]);
  });

  const together = ladder.rungs.filter(({ alone }) => alone !== true);
  it.each(together.map((rung, at) => [rung.key, at, rung] as const))('refuses %s first', (_key, at, rung) => {
    expect(answer(ladder, together.slice(at))).toBe(Errno[rung.errno]);
  });
});

it('has stable keys, each once', () => {
  const keys = LADDERS.flatMap(({ key, rungs }) => rungs.map((rung) => `${key}/${rung.key}`));
  expect(new Set(keys).size).toBe(keys.length);
  expect(new Set(LADDERS.map(({ key }) => key)).size).toBe(LADDERS.length);
});
