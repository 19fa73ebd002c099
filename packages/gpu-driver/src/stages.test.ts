// The entries: stage 3 shares tables, stage 8 mapping types and no tables; the rest of the driver is the same in both.
import { expect, it } from 'vitest';
import * as newest from './index.ts';
import * as stage3 from './stage-3.ts';
import * as stage8 from './stage-8.ts';

const namesIn = (stage: object): string[] => Object.keys(stage).sort();

it('stage 8 has mapping types where stage 3 has tables', () => {
  const [before, after] = [namesIn(stage3), namesIn(stage8)];
  expect(before.filter((name) => !after.includes(name))).toEqual([
    'AbuseWatch',
    'amdgpuDmaBufOps',
    'exportBo',
    'xeDmaBufOps',
  ]);
  expect(after.filter((name) => !before.includes(name))).toEqual([
    'exportBoMappings',
    'gpuMappingOps',
    'watchedMappingOps',
  ]);
  for (const name of before.filter((both) => after.includes(both)))
    expect(Reflect.get(stage8, name)).toBe(Reflect.get(stage3, name));
  // @ts-expect-error stage 8 drops amdgpuDmaBufOps
  expect(stage8.amdgpuDmaBufOps).toBe(undefined);
  // @ts-expect-error stage 8 drops xeDmaBufOps
  expect(stage8.xeDmaBufOps).toBe(undefined);
  // @ts-expect-error stage 8 drops exportBo, which takes operations that make tables
  expect(stage8.exportBo).toBe(undefined);
  // @ts-expect-error stage 3 has no gpuMappingOps
  expect(stage3.gpuMappingOps).toBe(undefined);
});

it('the newest surface is that of stage 8', () => {
  expect(namesIn(newest)).toEqual(namesIn(stage8));
});
