// Play: how a row of the kernel's tests is carried out, and the test that compares it with the row.
// Source followed: none.
// Simplified: for tests only.

import { expect, it } from 'vitest';
import type { GAnswer, GRow } from '../tables/g-row.ts';
import { SuiteWorld, type Variant } from './suite-world.ts';

/** Carries a row out; what each step answered. */
export type Play = (world: SuiteWorld) => GAnswer[];

/** Plays by key. */
export type Plays = Readonly<Record<string, Play>>;

/** Carries a row out in one variant, and closes the context: nothing is left, and nobody broke a rule. */
export function playIn(variant: Variant, play: Play, expected: readonly GAnswer[], ramBytes?: number): void {
  const world = new SuiteWorld(variant, ramBytes);
  expect([variant.name, ...play(world)]).toEqual([variant.name, ...expected]);
  expect(world.machine.close()).toEqual([0, 0, 0]);
  expect(world.machine.rules()).toEqual([]);
}

/** Without a device, with one, with two, and with batches of a single entry. */
export const IOAS_VARIANTS: readonly Variant[] = [
  { name: 'no_domain', devices: 0 },
  { name: 'mock_domain', devices: 1 },
  { name: 'two_mock_domain', devices: 2 },
  { name: 'mock_domain_limit', devices: 1, batchBytes: 16 },
];

/** One and two devices, in pages of 4 KiB and of 2 MiB. */
export const MOCK_VARIANTS: readonly Variant[] = [
  { name: 'one_domain', devices: 1 },
  { name: 'two_domains', devices: 2 },
  { name: 'one_domain_hugepage', devices: 1, huge: true },
  { name: 'two_domains_hugepage', devices: 2, huge: true },
];

/** What a row says of a variant; undefined where the kernel skips it. */
function expectedIn({ devices }: Variant, { noDomain, mock, two }: GRow): readonly GAnswer[] | undefined {
  if (devices === 0) return noDomain;
  return devices === 2 ? (two ?? mock) : mock;
}

/** One test for each row, named by its key; a row without a play fails, and so does a play without a row. */
export function testRows(rows: readonly GRow[], plays: Plays, variants: readonly Variant[]): void {
  it.each(rows.map((row) => [row.key, row.test, row] as const))('%s %s', (key, _test, row) => {
    const play = plays[key];
    if (play === undefined) throw new Error(`no test for ${key}`);
    for (const variant of variants) {
      const expected = expectedIn(variant, row);
      if (expected !== undefined) playIn(variant, play, expected);
    }
  });
  it(`plays rows ${rows[0]?.key} to ${rows.at(-1)?.key}, and nothing else`, () => {
    expect(Object.keys(plays).sort()).toEqual(rows.map(({ key }) => key).sort());
  });
}
