// The entries: each stage has all of the one before, and the triggers come with stage 6.
import { expect, it } from 'vitest';
import * as newest from './index.ts';
import * as stage3 from './stage-3.ts';
import * as stage6 from './stage-6.ts';

it('stage 6 adds the triggers and the revoke engine to stage 3', () => {
  const [before, after] = [Object.keys(stage3), Object.keys(stage6)];
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
