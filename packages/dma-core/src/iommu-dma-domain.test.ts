// Setting a device up: which addresses are reserved (against a recorded machine), what is refused, who falls back to
// the direct map, and the regions that are mapped one to one.

import { dmaAddr, physAddr } from '@sgfree/hw-model';
import {
  type IovaRange,
  iommuCreateDeviceDirectMappings,
  iommuIovaToPhys,
  type ReservedRegion,
  VTD_MSI_REGION,
} from '@sgfree/iommu';
import { describe, expect, it } from 'vitest';
import { freshDomain, hexOf, leftovers, takeTrace, testMachine } from '../test/vtd-machine.ts';
import {
  type BridgeWindow,
  cookieOf,
  type DeviceOptions,
  dmaBitMask,
  dmaMapPhys,
  type HostBridge,
  iommuGetDmaCookie,
  iommuSetupDmaOps,
  NO_ATTRS,
  pciDevice,
} from './index.ts';

const window = (start: number, end: number, offset = 0): BridgeWindow => ({
  start: physAddr(start),
  end: physAddr(end),
  offset,
});
const bridge = (dmaRanges: readonly BridgeWindow[]): HostBridge => ({ windows: [], dmaRanges });
const inHex = (ranges: readonly IovaRange[]): string =>
  ranges.map(([lo, hi]) => `${hexOf(lo)}-${hexOf(hi)}`).join(' ');

describe('reservations', () => {
  it('of the recorded machine: its bridge windows and the MSI range', () => {
    const hostBridge: HostBridge = {
      windows: [
        { ...window(0, 0xcf7), isMemory: false },
        window(0xa0000, 0xbffff),
        window(0x80000000, 0xafffffff),
        window(0xc0000000, 0xfebfffff),
        window(0x140000000, 0x93fffffff),
      ],
    };
    const { iovad, dev } = testMachine({ device: { hostBridge, reservedRegions: [VTD_MSI_REGION] } });
    expect(inHex(iovad.ranges())).toBe('a0-bf 80000-affff c0000-febff fee00-feeff 140000-93ffff');
    expect([iovad.startPfn, iovad.cachedNode, iovad.cached32Node, iovad.max32AllocSize]).toEqual([
      1,
      null,
      null,
      0x100000,
    ]);
    expect(iovad.liveRanges).toBe(0);
    expect(cookieOf(dev).msiRegions).toEqual([VTD_MSI_REGION]);
  });

  it('windows count in bus addresses', () => {
    const hostBridge: HostBridge = { windows: [window(0x40000000, 0x4fffffff, 0x30000000)] };
    expect(inHex(testMachine({ device: { hostBridge } }).iovad.ranges())).toBe('10000-1ffff');
  });

  it.each<[string, readonly BridgeWindow[], string]>([
    ['from zero: only what follows', [window(0, 0xffffffff)], '100000-fffffffffffff'],
    [
      'a hole below: the first granule of the window is lost',
      [window(0x1000000, 0x1ffffff)],
      '0-1000 2000-fffffffffffff',
    ],
    [
      'two windows, in any order',
      [window(0x4000000, 0x4ffffff), window(0x1000000, 0x1ffffff)],
      '0-1000 2000-4000 5000-fffffffffffff',
    ],
    ['two windows that touch', [window(0, 0xffffff), window(0x1000000, 0x1ffffff)], '2000-fffffffffffff'],
    ['windows with an offset', [window(0x9000000, 0x9ffffff, 0x8000000)], '0-1000 2000-fffffffffffff'],
  ])('dma_ranges: %s', (_name, dmaRanges, reserved) => {
    expect(inHex(testMachine({ device: { hostBridge: bridge(dmaRanges) } }).iovad.ranges())).toBe(reserved);
  });

  it('SW_MSI regions are not reserved, all others are', () => {
    const region = (start: number, type: ReservedRegion['type']): ReservedRegion => ({
      start: dmaAddr(start),
      bytes: 0x2000,
      type,
    });
    const reservedRegions = [
      region(0x10000, 'sw-msi'),
      region(0x20000, 'direct'),
      region(0x30000, 'direct-relaxable'),
      region(0x40000, 'reserved'),
    ];
    const { iovad } = testMachine({ device: { reservedRegions } });
    expect(inHex(iovad.ranges())).toBe('20-21 30-31 40-41');
  });

  it('only the first device of a group contributes', () => {
    const machine = testMachine();
    const second = pciDevice({
      name: 'second',
      platform: machine.dev.platform,
      reservedRegions: [VTD_MSI_REGION],
    });
    iommuSetupDmaOps(second, machine.domain);
    expect(second.dmaIommu).toBe(true);
    expect(machine.iovad.rangeCount).toBe(0);
    const address = dmaMapPhys(second, physAddr(0x1000000), 4096, 'to-device', NO_ATTRS);
    expect(hexOf(address)).toBe('fffff000');
  });
});

describe('fallbacks', () => {
  it.each<[string, Partial<DeviceOptions>, number]>([
    [
      'bridge ranges that overlap',
      { hostBridge: bridge([window(0x1000, 0x2fff), window(0x2000, 0x3fff)]) },
      -22,
    ],
    [
      'a range map above the aperture',
      { dmaRanges: [{ cpuStart: physAddr(0), dmaStart: dmaAddr(2 ** 50), bytes: 4096 }] },
      -14,
    ],
  ])('%s: reported, and the device is mapped directly', (_name, device, errno) => {
    const { platform } = testMachine().dev;
    const dev = pciDevice({ name: 'candidate', platform, ...device });
    iommuSetupDmaOps(dev, freshDomain());
    expect([dev.dmaIommu, dev.cookie]).toEqual([false, null]);
    expect(dev.log.events).toMatchObject([{ rule: 'dma-domain-init-failed', errno }]);
  });

  it('no domain, or one of a user: direct', () => {
    const machine = testMachine();
    iommuSetupDmaOps(machine.dev, null);
    expect([machine.dev.dmaIommu, machine.dev.cookie]).toEqual([false, null]);
    machine.domain.type = 'unmanaged';
    iommuSetupDmaOps(machine.dev, machine.domain);
    expect(machine.dev.dmaIommu).toBe(false);
  });

  it('lazy mode stays lazy, or becomes strict where there is no room for its queue', () => {
    expect(testMachine({ type: 'dma-fq' }).domain.type).toBe('dma-fq');
    const platform = { allocateFlushQueue: (): boolean => false };
    expect(testMachine({ type: 'dma-fq', platform }).domain.type).toBe('dma');
  });
});

describe('the 32-bit preference', () => {
  it('is armed at each set-up of a PCI device, unless forcedac', () => {
    const machine = testMachine();
    machine.dev.pci32BitWorkaround = false;
    iommuSetupDmaOps(machine.dev, machine.domain);
    expect(machine.dev.pci32BitWorkaround).toBe(true);
    expect(testMachine({ platform: { forcedac: true } }).dev.pci32BitWorkaround).toBe(false);
    expect(testMachine({ device: { isPci: false } }).dev.pci32BitWorkaround).toBe(false);
  });

  it('is not even tried when all addresses have 32 bits', () => {
    const machine = testMachine({ device: { dmaMask: dmaBitMask(32), busDmaLimit: 0xffff } });
    const address = dmaMapPhys(machine.dev, physAddr(0x1000000), 4096, 'to-device', NO_ATTRS);
    expect([hexOf(address), machine.dev.pci32BitWorkaround]).toEqual(['f000', true]);
  });
});

describe('direct mappings', () => {
  const region = (start: number, bytes: number): ReservedRegion => ({
    start: dmaAddr(start),
    bytes,
    type: 'direct',
  });

  it('map region pages one to one, those that are mapped already left alone', () => {
    const machine = testMachine({
      device: { reservedRegions: [region(0x7000, 0x4000), region(0x6000, 0x8000)] },
    });
    expect(iommuCreateDeviceDirectMappings(machine.domain, machine.dev.reservedRegions)).toBe(0);
    expect(takeTrace(machine)).toEqual(['map 7000 7000 4000', 'map 6000 6000 1000', 'map b000 b000 3000']);
    for (const page of [0x6000, 0x7000, 0xd000]) {
      expect(iommuIovaToPhys(machine.domain, dmaAddr(page))).toBe(page);
    }
  });

  it('are made before a lazy domain has its queue', () => {
    const { domain, dev } = testMachine({ device: { reservedRegions: [region(0x7000, 0x1000)] } });
    domain.type = 'dma-fq';
    expect(iommuCreateDeviceDirectMappings(domain, dev.reservedRegions)).toBe(0);
    expect(iommuIovaToPhys(domain, dmaAddr(0x7000))).toBe(0x7000);
  });

  it('are only for DMA domains, and report the page table running out', () => {
    const machine = testMachine({ device: { reservedRegions: [region(0x7000, 0x1000)] } });
    machine.frames.failAfter = 0;
    expect(iommuCreateDeviceDirectMappings(machine.domain, machine.dev.reservedRegions)).toBe(-12);
    machine.domain.type = 'unmanaged';
    expect(iommuCreateDeviceDirectMappings(machine.domain, machine.dev.reservedRegions)).toBe(0);
    expect(leftovers(machine).entries).toBe(0);
  });
});

it('a cookie is one per domain and has no addresses before set-up', () => {
  const machine = testMachine();
  expect(iommuGetDmaCookie(machine.domain)).toBe(machine.dev.cookie);
  machine.dev.cookie = null;
  expect(() => cookieOf(machine.dev)).toThrow(expect.objectContaining({ rule: 'dma-no-iommu' }));
  expect(() => iommuGetDmaCookie(freshDomain()).iovad).toThrow(
    expect.objectContaining({ rule: 'dma-domain-not-set-up' }),
  );
});
