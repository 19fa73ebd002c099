// The entries: what stage 8 drops of what stage 6 imports through, and that it is the newest surface.
import type { DmaRangeList } from '@sgfree/dma-buf';
import { expect, expectTypeOf, it } from 'vitest';
import * as newest from './index.ts';
import * as stage6 from './stage-6.ts';
import * as stage8 from './stage-8.ts';

it('stage 8 drops what takes tables', () => {
  const [before, after] = [Object.keys(stage6), Object.keys(stage8)];
  expect(before.filter((name) => !after.includes(name))).toEqual(['rangeImport']);
  expect(after.filter((name) => !before.includes(name))).toEqual([]);
  const changed = after.filter((name) => Reflect.get(stage6, name) !== Reflect.get(stage8, name));
  expect(changed).toEqual(['rangeListImport']);
  // @ts-expect-error stage 8 drops rangeImport
  expect(stage8.rangeImport).toBe(undefined);
  // @ts-expect-error stage 8 drops DmabufFallback
  expectTypeOf<stage8.DmabufFallback<unknown>>();
  // @ts-expect-error stage 8 drops DmabufRangeSource
  expectTypeOf<stage8.DmabufRangeSource<unknown>>();
  expectTypeOf(stage8.rangeListImport).parameters.toEqualTypeOf<[]>();
  expectTypeOf(stage8.rangeListImport).returns.toEqualTypeOf<stage8.DmabufImport<DmaRangeList>>();
});

it('the newest surface is that of stage 8', () => {
  expect(Object.keys(newest).sort()).toEqual(Object.keys(stage8).sort());
});
