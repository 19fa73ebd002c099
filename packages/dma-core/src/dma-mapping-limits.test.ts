// What drivers ask before they map: masks, sizes, merging, and whether unmapping matters.

import { dmaAddr, EventLog, PhysicalMemory, physAddr } from '@sgfree/hw-model';
import { describe, expect, it } from 'vitest';
import { hexOf, rulesOf, testMachine } from '../test/vtd-machine.ts';
import {
  type Device,
  type DeviceOptions,
  DmaPlatform,
  dmaAddressingLimited,
  dmaBitMask,
  dmaGetMask,
  dmaGetMergeBoundary,
  dmaGetRequiredMask,
  dmaMaxMappingSize,
  dmaNeedSync,
  dmaNeedUnmap,
  dmaOptMappingSize,
  dmaSetCoherentMask,
  dmaSetMask,
  dmaSetMaskAndCoherent,
  dmaSetMaxSegSize,
  dmaSetMinAlignMask,
  dmaSetSegBoundary,
  Device as PlainDevice,
  pciDevice,
  SIZE_MAX,
  type Swiotlb,
} from './index.ts';

const GIB = 2 ** 30;

function direct(ramAbove4Gib: boolean, swiotlb: Swiotlb | null, device: Partial<DeviceOptions> = {}): Device {
  const memory = new PhysicalMemory();
  memory.addRam(physAddr(0), 2 * GIB);
  if (ramAbove4Gib) memory.addRam(physAddr(4 * GIB), GIB);
  return pciDevice({ name: 'direct', platform: new DmaPlatform({ memory, swiotlb }), ...device });
}

const active: Swiotlb = { active: true, pool: null };

describe('sizes', () => {
  it.each<[string, Device, number, number]>([
    ['direct, all in reach', direct(false, active), SIZE_MAX, SIZE_MAX],
    ['direct, not all in reach, no pool', direct(true, null), SIZE_MAX, SIZE_MAX],
    ['direct, not all in reach, a pool', direct(true, active), 0x40000, 0x40000],
    ['direct, wide mask', direct(true, active, { dmaMask: dmaBitMask(64) }), SIZE_MAX, SIZE_MAX],
    ['direct, forced', direct(false, { ...active, forceBounce: true }), 0x40000, 0x40000],
    ['no mask', direct(false, null, { dmaMask: null }), 0, 0],
    ['behind an IOMMU', testMachine().dev, SIZE_MAX, 0x20000],
    ['untrusted', testMachine({ device: { untrusted: true } }).dev, 0x40000, 0x20000],
  ])('%s', (_name, dev, max, opt) => {
    expect(dmaMaxMappingSize(dev)).toBe(max);
    expect(dmaOptMappingSize(dev)).toBe(opt);
  });

  it.each([
    [0x7ff, 0x3f800],
    [0xfff, 0x3f000],
    [0xffff, 0x30000],
  ])('an alignment mask of %d shortens what can bounce to %d', (mask, max) => {
    const dev = direct(true, active);
    dmaSetMinAlignMask(dev, mask);
    expect(dmaMaxMappingSize(dev)).toBe(max);
  });
});

describe('masks', () => {
  it('a direct device needs at least the DMA zone', () => {
    const dev = direct(true, null);
    expect(dmaSetMask(dev, dmaBitMask(23))).toBe(-5);
    expect(dmaSetMask(dev, dmaBitMask(24))).toBe(0);
    expect(dmaSetCoherentMask(dev, dmaBitMask(20))).toBe(-5);
    expect(dmaSetMaskAndCoherent(dev, dmaBitMask(64))).toBe(0);
    expect([dev.dmaMask, dev.coherentDmaMask]).toEqual([2 ** 64, 2 ** 64]);
    expect(dmaSetMaskAndCoherent(dev, dmaBitMask(20))).toBe(-5);
    expect(dev.dmaMask).toBe(2 ** 64);
  });

  it('behind an IOMMU any mask is fine, but there must be one', () => {
    expect(dmaSetMask(testMachine().dev, dmaBitMask(12))).toBe(0);
    const bare = testMachine({ device: { dmaMask: null } }).dev;
    expect(dmaSetMask(bare, dmaBitMask(64))).toBe(-5);
    expect(dmaGetMask(bare)).toBe(0xffffffff);
  });

  it('the required mask covers the last byte of RAM; 32 bits behind an IOMMU', () => {
    expect(hexOf(dmaGetRequiredMask(direct(false, null)))).toBe('7fffffff');
    expect(hexOf(dmaGetRequiredMask(direct(true, null)))).toBe('1ffffffff');
    expect(hexOf(dmaGetRequiredMask(testMachine().dev))).toBe('ffffffff');
    const nowhere = [{ cpuStart: physAddr(0), dmaStart: dmaAddr(0), bytes: 0x1000 }];
    expect(dmaGetRequiredMask(direct(true, null, { dmaRanges: nowhere }))).toBe(2 ** 64);
  });

  it('addressing is limited by mask, bus or range map', () => {
    const wide = { dmaMask: dmaBitMask(64) };
    const whole = [{ cpuStart: physAddr(0), dmaStart: dmaAddr(0), bytes: 8 * GIB }];
    const split = [
      { cpuStart: physAddr(0), dmaStart: dmaAddr(0), bytes: GIB },
      { cpuStart: physAddr(GIB), dmaStart: dmaAddr(GIB), bytes: 4 * GIB },
    ];
    expect(dmaAddressingLimited(direct(true, null))).toBe(true);
    expect(dmaAddressingLimited(direct(false, null))).toBe(false);
    expect(dmaAddressingLimited(direct(true, null, wide))).toBe(false);
    expect(dmaAddressingLimited(direct(true, null, { ...wide, busDmaLimit: 0xffffffff }))).toBe(true);
    expect(dmaAddressingLimited(direct(true, null, { ...wide, dmaRanges: whole }))).toBe(false);
    expect(dmaAddressingLimited(direct(true, null, { ...wide, dmaRanges: split }))).toBe(false);
    expect(dmaAddressingLimited(direct(true, null, { ...wide, dmaRanges: split.slice(1) }))).toBe(true);
    expect(dmaAddressingLimited(testMachine({ device: { dmaMask: dmaBitMask(31) } }).dev)).toBe(true);
    expect(dmaAddressingLimited(testMachine().dev)).toBe(false);
  });
});

describe('merging and unmapping', () => {
  it('only an IOMMU merges, at its granule', () => {
    expect(dmaGetMergeBoundary(testMachine().dev)).toBe(0xfff);
    expect(dmaGetMergeBoundary(direct(true, null))).toBe(0);
  });

  it('unmapping matters behind an IOMMU, and directly until a mask was set on a coherent device', () => {
    expect(dmaNeedUnmap(testMachine().dev)).toBe(true);
    const dev = direct(true, null);
    expect(dmaNeedUnmap(dev)).toBe(true);
    dmaSetMask(dev, dmaBitMask(64));
    expect(dmaNeedUnmap(dev)).toBe(false);
    const other = direct(true, null, { dmaCoherent: false });
    dmaSetMask(other, dmaBitMask(64));
    expect([dmaNeedUnmap(other), dmaNeedSync(other, dmaAddr(0x1000))]).toEqual([true, true]);
  });
});

describe('device parameters', () => {
  it('PCI presets, defaults, and zero as "the default"', () => {
    const dev = direct(true, null);
    expect([dev.maxSegmentSize, dev.segmentBoundaryMask, dev.coherentDmaMask]).toEqual([
      65536, 0xffffffff, 0xffffffff,
    ]);
    dmaSetMaxSegSize(dev, 4096);
    dmaSetSegBoundary(dev, 0xffff);
    expect([dev.maxSegmentSize, dev.segmentBoundaryMask]).toEqual([4096, 0xffff]);
    dmaSetMaxSegSize(dev, 0);
    dmaSetSegBoundary(dev, 0);
    expect([dev.maxSegmentSize, dev.segmentBoundaryMask]).toEqual([65536, 2 ** 64]);
  });

  it('a device without dma_parms keeps its limits, with a warning', () => {
    const log = new EventLog();
    log.enabled = true;
    const dev = new PlainDevice({
      name: 'bare',
      platform: new DmaPlatform({ memory: new PhysicalMemory(), log }),
    });
    dmaSetMaxSegSize(dev, 4096);
    dmaSetSegBoundary(dev, 0xffff);
    dmaSetMinAlignMask(dev, 0xfff);
    expect([dev.maxSegmentSize, dev.segmentBoundaryMask, dev.minAlignMask]).toEqual([65536, 2 ** 64, 0]);
    expect(rulesOf({ log })).toEqual(['dma-no-parms', 'dma-no-parms', 'dma-no-parms']);
  });
});
