// The translation of several devices: each in a group and a domain of its own, all of them counted.
import { DmaPlatform, dmaBitMask, dmaMapPhys, dmaSetMask, dmaUnmapPhys, pciDevice } from '@sgfree/dma-core';
import {
  Clock,
  type DmaAddr,
  EventLog,
  PAGE_SIZE,
  PciFabric,
  PhysicalMemory,
  physAddr,
} from '@sgfree/hw-model';
import { expect, it } from 'vitest';
import { DeviceTranslation } from './device-translation.ts';
import { NO_WORK } from './work-counts.ts';

const RAM_BYTES: number = 64 * 2 ** 20;

function rig(translated: boolean) {
  const [memory, clock, log] = [new PhysicalMemory(), new Clock(), new EventLog()];
  const kernelRam = { base: physAddr(2 ** 20), bytes: RAM_BYTES };
  memory.addRam(kernelRam.base, kernelRam.bytes);
  const fabric = new PciFabric({ memory, clock, log });
  const platform = new DmaPlatform({ memory, log, clock });
  const translation = new DeviceTranslation({ memory, fabric, kernelRam, log, translated });
  const devs = [0x100, 0x208, 0x310].map((requesterId) => {
    const dev = pciDevice({ name: `device ${requesterId}`, platform, requesterId });
    const domain = translation.attach(dev);
    dmaSetMask(dev, dmaBitMask(64));
    return { dev, domain };
  });
  return { translation, devs, base: kernelRam.base };
}

it('gives each device the domain of its own group', () => {
  const { translation, devs } = rig(true);
  const { iommu } = translation;
  expect(devs.map(({ domain }) => (domain === null ? null : iommu?.domainIdOf(domain)))).toEqual([
    24, 25, 26,
  ]);
});

it('counts over all devices', () => {
  const { translation, devs, base } = rig(true);
  const before = translation.sampleWork();
  const mapped = devs.map(({ dev }, index): readonly [DmaAddr, number] => {
    const bytes = (index + 1) * PAGE_SIZE;
    return [dmaMapPhys(dev, base, bytes, 'to-device', {}) as DmaAddr, bytes];
  });
  expect([translation.liveTableEntries, translation.liveIovaRanges]).toEqual([6, 3]);
  for (const [index, { dev }] of devs.entries()) {
    const [address, bytes] = mapped[index] as readonly [DmaAddr, number];
    dmaUnmapPhys(dev, address, bytes, 'to-device', {});
  }
  expect([translation.liveTableEntries, translation.liveIovaRanges]).toEqual([0, 0]);
  const after = translation.sampleWork();
  expect(before).toEqual({
    ...NO_WORK,
    invalidationCommands: before.invalidationCommands,
    invalidationWaits: before.invalidationWaits,
  });
  expect(after).toMatchObject({
    iovaAllocations: 3,
    mapCalls: 3,
    unmapCalls: 3,
    entriesWritten: 6,
    entriesCleared: 6,
  });
  expect(after.invalidationWaits - before.invalidationWaits).toBe(3);
});

it('counts nothing where nothing translates', () => {
  const { translation, devs } = rig(false);
  expect(devs.map(({ domain }) => domain)).toEqual([null, null, null]);
  expect(translation.sampleWork()).toEqual(NO_WORK);
});
