// The entries of dma-buf: each stage has what the one before had, calls on their way out are declarations of their own, and what
// only iommufd may use is nowhere else.
import { expect, expectTypeOf, it } from 'vitest';
import * as newest from '../src/index.ts';
import * as iommufd from '../src/iommufd.ts';
import * as stage3 from '../src/stage-3.ts';
import * as stage5 from '../src/stage-5.ts';
import * as stage6 from '../src/stage-6.ts';

/** Names of `Before` that `After` lacks. */
type Lost<Before, After> = Exclude<keyof Before, keyof After>;
/** Names whose use at the stage before does not compile any more. */
type Broken<Before, After> = {
  [Name in keyof Before & keyof After]: After[Name] extends Before[Name] ? never : Name;
}[keyof Before & keyof After];

it('each stage is additive in its types', () => {
  expectTypeOf<Lost<typeof stage3, typeof stage5>>().toEqualTypeOf<never>();
  expectTypeOf<Lost<typeof stage5, typeof stage6>>().toEqualTypeOf<never>();
  expectTypeOf<Broken<typeof stage3, typeof stage5>>().toEqualTypeOf<never>();
  expectTypeOf<Broken<typeof stage5, typeof stage6>>().toEqualTypeOf<never>();
  expectTypeOf<keyof typeof newest>().toEqualTypeOf<keyof typeof stage6>();
  // The mapping types come with stage 5.
  // @ts-expect-error stage 3 has no dmaBufMappingAttach
  expect(stage3.dmaBufMappingAttach).toBe(undefined);
  // @ts-expect-error stage 5 cannot ask whether an importer gives memory back
  expect(stage5.dmaBufAttachRevocable).toBe(undefined);
});

it('each stage is additive in its values', () => {
  const names = [stage3, stage5, stage6, newest].map((entry) => Object.keys(entry).sort());
  const [three = [], five = [], six = [], last = []] = names;
  expect(five).toEqual(expect.arrayContaining(three));
  expect(six.filter((name) => !five.includes(name))).toEqual(['dmaBufAttachRevocable']);
  expect(last).toEqual(six);
});

it('a call on its way out forwards; stage 3 keeps the original', () => {
  expect(stage5.dmaBufDynamicAttach).not.toBe(stage3.dmaBufDynamicAttach);
  expect(stage5.dmaBufAttach).not.toBe(stage3.dmaBufAttach);
  expect(stage6.dmaBufDynamicAttach).toBe(stage5.dmaBufDynamicAttach);
  const now = new Map<string, unknown>(Object.entries(stage5));
  const changed = Object.entries(stage3).filter(([name, value]) => now.get(name) !== value);
  expect(changed.map(([name]) => name).sort()).toEqual(['dmaBufAttach', 'dmaBufDynamicAttach']);
});

it('the importer calls of physical lists are iommufd’s alone', () => {
  const own = Object.keys(iommufd);
  expect(own.sort()).toEqual(['dmaBufPalMapPhys', 'dmaBufPalUnmapPhys', 'palImporterMatch']);
  expect(Object.keys(newest).filter((name) => own.includes(name))).toEqual([]);
});
