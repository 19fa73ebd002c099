// The entries: up to stage 6 each stage has all of the one before; mapping types come with stage 5, the triggers with stage 6; at
// stage 8 the tables are gone.
import { expect, expectTypeOf, it } from 'vitest';
import * as newest from './index.ts';
import * as stage3 from './stage-3.ts';
import * as stage5 from './stage-5.ts';
import * as stage6 from './stage-6.ts';
import * as stage8 from './stage-8.ts';

it('stage 5 adds mapping types to stage 3, and its call for tables is a declaration of its own', () => {
  const [before, after] = [Object.keys(stage3), Object.keys(stage5)];
  expect(after).toEqual(expect.arrayContaining(before));
  expect(after.filter((name) => !before.includes(name)).sort()).toEqual(['vfioMappingTypes', 'vfioSgtOffer']);
  expect(stage5.vfioSgtMapping).not.toBe(stage3.vfioSgtMapping);
  expect(stage6.vfioSgtMapping).toBe(stage5.vfioSgtMapping);
  // @ts-expect-error stage 3 has no vfioMappingTypes
  expect(stage3.vfioMappingTypes).toBe(undefined);
});

it('stage 6 adds the triggers and the revoke engine to stage 5', () => {
  const [before, after] = [Object.keys(stage5), Object.keys(stage6)];
  expect(after).toEqual(expect.arrayContaining(before));
  expect(after.filter((name) => !before.includes(name)).sort()).toEqual([
    'vfioLockAndSetPowerState',
    'vfioPciConfigRead',
    'vfioPciConfigWrite',
    'vfioPciDevSetHotReset',
    'vfioPciDmaBufCleanup',
    'vfioPciDmaBufIommufdMap',
    'vfioPciDmaBufMove',
    'vfioPciIoctlReset',
    'vfioPciRuntimePmEntry',
    'vfioPciRuntimePmExit',
    'vfioPciZapBars',
  ]);
});

it('stage 8 drops the tables, and is the newest surface', () => {
  const [before, after] = [Object.keys(stage6), Object.keys(stage8)];
  expect(before.filter((name) => !after.includes(name)).sort()).toEqual(['vfioSgtMapping', 'vfioSgtOffer']);
  expect(after.filter((name) => !before.includes(name))).toEqual([]);
  const changed = after.filter((name) => Reflect.get(stage6, name) !== Reflect.get(stage8, name));
  expect(changed).toEqual(['vfioMappingTypes']);
  expect(Object.keys(newest).sort()).toEqual(after.sort());
  // @ts-expect-error stage 8 drops vfioSgtMapping
  expect(stage8.vfioSgtMapping).toBe(undefined);
  // @ts-expect-error stage 8 drops vfioSgtOffer
  expect(stage8.vfioSgtOffer).toBe(undefined);
  // @ts-expect-error stage 8 drops VfioSgTable
  expectTypeOf<stage8.VfioSgTable>();
  expectTypeOf<keyof stage8.VfioMappingTypesOptions>().toEqualTypeOf<'doors' | 'more'>();
});
