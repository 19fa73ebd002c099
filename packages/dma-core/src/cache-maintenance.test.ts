// Non-coherent devices: when their caches are looked after, through the IOMMU and without it.

import { dmaAddr, type PhysAddr, physAddr } from '@sgfree/hw-model';
import { expect, it } from 'vitest';
import { BumpPool } from '../test/bump-pool.ts';
import { hexOf, mapped, type TestMachine, takeTrace, testMachine } from '../test/vtd-machine.ts';
import {
  type CacheMaintenance,
  type DmaAttrs,
  dmaMapPhys,
  dmaSetMask,
  dmaSyncSingleForCpu,
  dmaSyncSingleForDevice,
  dmaUnmapPhys,
  iommuSetupDmaOps,
  NO_ATTRS,
  type Swiotlb,
} from './index.ts';

function nonCoherent(swiotlb: Swiotlb | null = null): TestMachine {
  let post: (what: string) => void = () => {};
  const cache: CacheMaintenance = {
    syncForDevice: (phys, size) => post(`to-device ${hexOf(phys)} ${hexOf(size)}`),
    syncForCpu: (phys, size) => post(`to-cpu ${hexOf(phys)} ${hexOf(size)}`),
    flush: () => post('flush'),
  };
  const machine = testMachine({ device: { dmaCoherent: false }, platform: { cache, swiotlb } });
  post = (what) => machine.log.post({ kind: 'test:cache', what });
  return machine;
}

const phys: PhysAddr = physAddr(0x100_0200);

function roundTrip(machine: TestMachine, attrs: DmaAttrs): string[] {
  const address = mapped(dmaMapPhys(machine.dev, phys, 0x100, 'bidirectional', attrs));
  dmaSyncSingleForCpu(machine.dev, address, 0x100, 'bidirectional');
  dmaSyncSingleForDevice(machine.dev, address, 0x100, 'bidirectional');
  dmaUnmapPhys(machine.dev, address, 0x100, 'bidirectional', attrs);
  return takeTrace(machine);
}

const syncs = ['to-cpu 1000200 100', 'flush', 'to-device 1000200 100', 'flush'];

it('behind an IOMMU: before the map and before the unmap', () => {
  expect(roundTrip(nonCoherent(), NO_ATTRS)).toEqual([
    'to-device 1000200 100',
    'flush',
    'map fffff000 1000000 1000',
    ...syncs,
    'to-cpu 1000200 100',
    'flush',
    'unmap fffff000 1000 1000',
    'sync fffff000 ffffffff',
  ]);
});

it('skipCpuSync leaves map and unmap alone, not the syncs', () => {
  const lines = roundTrip(nonCoherent(), { skipCpuSync: true });
  expect(lines.filter((line) => !/map|sync/.test(line))).toEqual(syncs);
});

it('the same without an IOMMU', () => {
  const machine = nonCoherent();
  iommuSetupDmaOps(machine.dev, null);
  const around = ['to-device 1000200 100', 'flush', ...syncs, 'to-cpu 1000200 100', 'flush'];
  expect(roundTrip(machine, NO_ATTRS)).toEqual(around);
  expect(roundTrip(machine, { skipCpuSync: true })).toEqual(syncs);
});

it('directly, a bounced mapping: the slot, not the memory it stands for', () => {
  const pool = new BumpPool(0x400_0000, 0x10_0000);
  const machine = nonCoherent({ active: true, forceBounce: true, pool });
  iommuSetupDmaOps(machine.dev, null);
  const attempt = (attrs: DmaAttrs): string[] => {
    dmaMapPhys(machine.dev, phys, 0x100, 'to-device', attrs);
    return takeTrace(machine);
  };
  expect(attempt(NO_ATTRS)).toEqual(['to-device 4000000 100', 'flush']);
  expect(attempt({ skipCpuSync: true })).toEqual([]);
  dmaSetMask(machine.dev, 0xffffff);
  expect(attempt(NO_ATTRS)).toEqual([]);
  dmaUnmapPhys(machine.dev, dmaAddr(0x400_0000), 0x100, 'to-device', NO_ATTRS);
  expect(takeTrace(machine)).toEqual(['to-cpu 4000000 100', 'flush']);
});
