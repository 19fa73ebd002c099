// The entries: each stage has all of the one before; mapping types come with stage 5, the triggers with stage 6.
import { expect, it } from 'vitest';
import * as newest from './index.ts';
import * as stage3 from './stage-3.ts';
import * as stage5 from './stage-5.ts';
import * as stage6 from './stage-6.ts';

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
  expect(Object.keys(newest).sort()).toEqual(after.sort());
});
