// What each stage offers: the newest surface is that of stage 7.
import { expect, it } from 'vitest';
import * as newest from './index.ts';
import * as stage7 from './stage-7.ts';

it('offers at its newest what stage 7 offers', () => {
  expect(Object.keys(newest).sort()).toEqual(Object.keys(stage7).sort());
});

it('offers both faces of every call', () => {
  const typed = [
    'iommufdDestroy',
    'iommufdIoasAllocIoctl',
    'iommufdIoasAllowIovas',
    'iommufdIoasCopy',
    'iommufdIoasIovaRanges',
    'iommufdIoasMap',
    'iommufdIoasUnmap',
    'iommufdOption',
    'iommufdVfioIoas',
    'iommufdHwptAlloc',
    'iommufdGetHwInfo',
    'iommufdHwptSetDirtyTracking',
    'iommufdHwptGetDirtyBitmap',
    'iommufdFaultAlloc',
    'iommufdIoasMapFile',
    'iommufdIoasChangeProcess',
  ];
  expect(Object.keys(stage7)).toEqual(
    expect.arrayContaining([...typed, 'iommufdFopsIoctl', 'IOMMUFD_STRUCTS']),
  );
});
