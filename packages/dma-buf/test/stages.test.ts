// The entries of dma-buf: up to stage 6 each stage has what the one before had, calls on their way out are declarations of their own,
// stage 8 has them no more, and what only iommufd may use is nowhere else.
import { expect, expectTypeOf, it } from 'vitest';
import * as newest from '../src/index.ts';
import * as iommufd from '../src/iommufd.ts';
import * as stage3 from '../src/stage-3.ts';
import * as stage5 from '../src/stage-5.ts';
import * as stage6 from '../src/stage-6.ts';
import * as stage8 from '../src/stage-8.ts';

/** Names of `Before` that `After` lacks. */
type Lost<Before, After> = Exclude<keyof Before, keyof After>;
/** Names whose use at the stage before does not compile any more. */
type Broken<Before, After> = {
  [Name in keyof Before & keyof After]: After[Name] extends Before[Name] ? never : Name;
}[keyof Before & keyof After];

it('each stage up to 6 is additive in its types', () => {
  expectTypeOf<Lost<typeof stage3, typeof stage5>>().toEqualTypeOf<never>();
  expectTypeOf<Lost<typeof stage5, typeof stage6>>().toEqualTypeOf<never>();
  expectTypeOf<Broken<typeof stage3, typeof stage5>>().toEqualTypeOf<never>();
  expectTypeOf<Broken<typeof stage5, typeof stage6>>().toEqualTypeOf<never>();
  // The mapping types come with stage 5.
  // @ts-expect-error stage 3 has no dmaBufMappingAttach
  expect(stage3.dmaBufMappingAttach).toBe(undefined);
  // @ts-expect-error stage 5 cannot ask whether an importer gives memory back
  expect(stage5.dmaBufAttachRevocable).toBe(undefined);
});

it('each stage up to 6 is additive in its values', () => {
  const names = [stage3, stage5, stage6].map((entry) => Object.keys(entry).sort());
  const [three = [], five = [], six = []] = names;
  expect(five).toEqual(expect.arrayContaining(three));
  expect(six.filter((name) => !five.includes(name))).toEqual(['dmaBufAttachRevocable']);
});

it('a call on its way out forwards; stage 3 keeps the original', () => {
  expect(stage5.dmaBufDynamicAttach).not.toBe(stage3.dmaBufDynamicAttach);
  expect(stage5.dmaBufAttach).not.toBe(stage3.dmaBufAttach);
  expect(stage5.dmaBufExport).not.toBe(stage3.dmaBufExport);
  expect(stage6.dmaBufDynamicAttach).toBe(stage5.dmaBufDynamicAttach);
  const now = new Map<string, unknown>(Object.entries(stage5));
  const changed = Object.entries(stage3).filter(([name, value]) => now.get(name) !== value);
  expect(changed.map(([name]) => name).sort()).toEqual([
    'dmaBufAttach',
    'dmaBufDynamicAttach',
    'dmaBufExport',
  ]);
});

it('stage 8 drops the operation that makes tables, and nothing else', () => {
  expectTypeOf<Lost<typeof stage6, typeof stage8>>().toEqualTypeOf<
    'dmaBufAttach' | 'dmaBufDynamicAttach' | 'dmaBufExport'
  >();
  expectTypeOf<Lost<typeof stage8, typeof stage6>>().toEqualTypeOf<never>();
  expectTypeOf<keyof typeof newest>().toEqualTypeOf<keyof typeof stage8>();
  // @ts-expect-error stage 8 drops dmaBufAttach
  expect(stage8.dmaBufAttach).toBe(undefined);
  // @ts-expect-error stage 8 drops dmaBufDynamicAttach
  expect(stage8.dmaBufDynamicAttach).toBe(undefined);
  // @ts-expect-error stage 8 drops dmaBufExport
  expect(stage8.dmaBufExport).toBe(undefined);
  const gone = Object.keys(stage6).filter((name) => !Object.keys(stage8).includes(name));
  expect(gone.sort()).toEqual(['dmaBufAttach', 'dmaBufDynamicAttach', 'dmaBufExport']);
  const changed = Object.entries(stage8).filter(([name, value]) => Reflect.get(stage6, name) !== value);
  expect(changed.map(([name]) => name)).toEqual(['dmaBufMappingExport']);
  expect(Object.keys(newest).sort()).toEqual(Object.keys(stage8).sort());
});

it('the types of stage 8 know no table', () => {
  // @ts-expect-error stage 8 drops DmaBufOps, which has the pair that makes tables
  expectTypeOf<stage8.DmaBufOps<unknown>>();
  // @ts-expect-error stage 8 drops DmaBufExportInfo, which takes that pair
  expectTypeOf<stage8.DmaBufExportInfo<unknown>>();
  type Ops = NonNullable<stage8.DmaBufMappingExportInfo['ops']>;
  expectTypeOf<Extract<keyof Ops, 'mapDmaBuf' | 'unmapDmaBuf'>>().toEqualTypeOf<never>();
  type Shared = stage8.DmaBuf<unknown>['ops'];
  expectTypeOf<Extract<keyof Shared, 'mapDmaBuf' | 'unmapDmaBuf'>>().toEqualTypeOf<never>();
});

it('the importer calls of physical lists are iommufd’s alone', () => {
  const own = Object.keys(iommufd);
  expect(own.sort()).toEqual(['dmaBufPalMapPhys', 'dmaBufPalUnmapPhys', 'palImporterMatch']);
  expect(Object.keys(newest).filter((name) => own.includes(name))).toEqual([]);
});
