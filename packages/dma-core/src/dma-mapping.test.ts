// dma_map_phys behind an IOMMU: the appendix vectors of the kernel notes, the checks of the dispatch layer, the events,
// and a sweep of failures that must leave nothing mapped or taken.

import { type DmaAddr, dmaAddr, type PhysAddr, physAddr } from '@sgfree/hw-model';
import { DmaApiViolation } from '@sgfree/mm';
import { describe, expect, it } from 'vitest';
import { hexOf, leftovers, mapped, rulesOf, takeTrace, testMachine } from '../test/vtd-machine.ts';
import {
  DMA_MAPPING_ERROR,
  type DmaAttrs,
  type DmaDataDirection,
  dmaBitMask,
  dmaDevNeedSync,
  dmaMapPageAttrs,
  dmaMapPhys,
  dmaMappingError,
  dmaMapResource,
  dmaMapSingleAttrs,
  dmaSyncSingleForCpu,
  dmaSyncSingleForDevice,
  dmaUnmapPhys,
  dmaUnmapResource,
  dmaUnmapSingleAttrs,
  iommuSetupDmaOps,
  NO_ATTRS,
} from './index.ts';

const PAGE = 4096;

describe('dma_map_phys: appendix B', () => {
  it('B1: a PCI device gets 32-bit addresses, widened to pages, its superpages aligned', () => {
    const machine = testMachine();
    const map = (phys: number, size: number): string =>
      hexOf(dmaMapPhys(machine.dev, physAddr(phys), size, 'bidirectional', NO_ATTRS));
    expect(map(0x1234567, 0x1000)).toBe('ffffe567');
    expect(takeTrace(machine)).toEqual(['map ffffe000 1234000 2000']);
    expect(map(0x200000, 0x400000)).toBe('ff800000');
    expect(takeTrace(machine)).toEqual(['map ff800000 200000 400000']);
    dmaUnmapPhys(machine.dev, dmaAddr(0xffffe567), 0x1000, 'bidirectional', NO_ATTRS);
    expect(takeTrace(machine)).toEqual(['unmap ffffe000 2000 2000', 'sync ffffe000 ffffffff']);
  });

  it('B2: other devices start at the top of the aperture', () => {
    const machine = testMachine({ device: { isPci: false } });
    const map = (phys: number, size: number): string =>
      hexOf(dmaMapPhys(machine.dev, physAddr(phys), size, 'bidirectional', NO_ATTRS));
    expect(map(0x1000000, 0x1000)).toBe('fffffffff000');
    takeTrace(machine);
    expect(map(0x1000fff, 2)).toBe('ffffffffcfff');
    expect(takeTrace(machine)).toEqual(['map ffffffffc000 1000000 2000']);
    expect(map(0x1000000, 0x21000)).toBe('fffffffc0000');
    expect(map(0x1000000, 0x1000)).toBe('fffffffbf000');
  });

  it('B3: once 32-bit addresses run out, a PCI device never comes back to them', () => {
    const geometry = { apertureFirstFrame: 0xfffe0, apertureLastFrame: 2 ** 36 - 1, forceAperture: true };
    const machine = testMachine({ geometry });
    const map = (phys: number, size: number): string =>
      hexOf(dmaMapPhys(machine.dev, physAddr(phys), size, 'bidirectional', NO_ATTRS));
    expect(map(0x1000000, 0x10000)).toBe('ffff0000');
    expect(map(0x2000000, 0x10000)).toBe('fffe0000');
    expect(map(0x3000000, 0x1000)).toBe('fffffffff000');
    expect(machine.log.events.map(({ kind, bits }) => [kind, bits])).toContainEqual([
      'dma:wide-addresses',
      64,
    ]);
    dmaUnmapPhys(machine.dev, dmaAddr(0xffff0000), 0x10000, 'bidirectional', NO_ATTRS);
    expect(map(0x4000000, 0x1000)).toBe('ffffffffe000');
  });
});

describe('dma_map_phys: checks and events', () => {
  const phys = physAddr(0x100_0000);

  it.each<[string, DmaAttrs, Partial<{ dmaCoherent: boolean; dmaMask: null }>, string[]]>([
    ['a device without a mask', {}, { dmaMask: null }, ['dma-no-mask']],
    ['coherence demanded of a non-coherent device', { requireCoherent: true }, { dmaCoherent: false }, []],
    ['a shared confidential address behind an IOMMU', { ccShared: true }, {}, []],
  ])('%s fails without an event', (_name, attrs, device, rules) => {
    const machine = testMachine({ device });
    const address = dmaMapPhys(machine.dev, phys, PAGE, 'to-device', attrs);
    expect(dmaMappingError(machine.dev, address)).toBe(-12);
    expect(machine.log.events.filter(({ kind }) => kind !== 'violation')).toEqual([]);
    expect(rulesOf(machine)).toEqual(rules);
    expect(leftovers(machine)).toEqual({ entries: 0, ranges: 0 });
  });

  it.each<[DmaDataDirection, number, string]>([
    ['none', PAGE, 'dma-bad-direction'],
    ['to-device', 0, 'dma-zero-size'],
    ['to-device', -1, 'dma-zero-size'],
  ])('direction %s with %d bytes is a bug: %s', (dir, size, rule) => {
    const { dev } = testMachine();
    expect(() => dmaMapPhys(dev, phys, size, dir, NO_ATTRS)).toThrow(
      expect.objectContaining({ constructor: DmaApiViolation, rule }),
    );
  });

  it('posts its events after mapping and after unmapping', () => {
    const machine = testMachine();
    const attrs: DmaAttrs = { skipCpuSync: true, mmio: true };
    const address = mapped(dmaMapPhys(machine.dev, phys, 100, 'from-device', attrs));
    dmaUnmapPhys(machine.dev, address, 100, 'from-device', attrs);
    const common = { device: '0000:00:08.0', dir: 'FROM_DEVICE', dmaAddr: address, size: 100 };
    expect(machine.log.events).toEqual([
      expect.objectContaining({ kind: 'iommu:map' }),
      { kind: 'dma:dma_map_phys', ...common, physAddr: phys, attrs: 'SKIP_CPU_SYNC|MMIO' },
      expect.objectContaining({ kind: 'iommu:unmap' }),
      expect.objectContaining({ kind: 'test:sync' }),
      { kind: 'dma:dma_unmap_phys', ...common, attrs: 'SKIP_CPU_SYNC|MMIO' },
    ]);
  });

  it('posts the event of a failed mapping too', () => {
    const machine = testMachine({ device: { dmaMask: 0xfff } });
    expect(dmaMapPhys(machine.dev, phys, PAGE, 'to-device', NO_ATTRS)).toBe(DMA_MAPPING_ERROR);
    expect(machine.log.events).toMatchObject([{ kind: 'dma:dma_map_phys', dmaAddr: -1, physAddr: phys }]);
  });

  it('refuses a device that wants addresses aligned beyond the granule', () => {
    const machine = testMachine();
    machine.dev.minAlignMask = 0xffff;
    expect(dmaMapPhys(machine.dev, phys, PAGE, 'to-device', NO_ATTRS)).toBe(DMA_MAPPING_ERROR);
    expect(rulesOf(machine)).toEqual(['dma-min-align']);
    machine.dev.minAlignMask = 0xfff;
    expect(dmaMapPhys(machine.dev, phys, PAGE, 'to-device', NO_ATTRS)).not.toBe(DMA_MAPPING_ERROR);
  });

  it('maps a page by its frame, never MMIO; a resource always as MMIO', () => {
    const { dev, log } = testMachine();
    expect(hexOf(dmaMapPageAttrs(dev, 0x1000, 0x123, 16, 'to-device', NO_ATTRS))).toBe('fffff123');
    expect(dmaMapPageAttrs(dev, 0x1000, 0x123, 16, 'to-device', { mmio: true })).toBe(DMA_MAPPING_ERROR);
    expect(dev.platform.frames.touched).toBe(1);
    const address = mapped(dmaMapResource(dev, phys, PAGE, 'to-device', NO_ATTRS));
    dmaUnmapResource(dev, address, PAGE, 'to-device', NO_ATTRS);
    expect(log.events.at(-1)).toMatchObject({ kind: 'dma:dma_unmap_phys', attrs: 'MMIO' });
  });

  it.each<[DmaDataDirection, number]>([
    ['bidirectional', 3],
    ['to-device', 1],
    ['from-device', 2],
  ])('direction %s gives permission bits %d', (dir, bits) => {
    const { dev, domain } = testMachine();
    dmaMapPhys(dev, phys, PAGE, dir, NO_ATTRS);
    const entries: number[] = [];
    domain.table.visitLeaves((_frame, low) => entries.push(low & 3));
    expect(entries).toEqual([bits]);
  });
});

it('what a failed mapping returned can be synced: nothing happens', () => {
  for (const dmaCoherent of [true, false]) {
    const { dev, log } = testMachine({ device: { dmaCoherent } });
    dmaSyncSingleForCpu(dev, -1 as DmaAddr, PAGE, 'from-device');
    dmaSyncSingleForDevice(dev, -1 as DmaAddr, PAGE, 'from-device');
    const kinds = dmaDevNeedSync(dev)
      ? ['dma:dma_sync_single_for_cpu', 'dma:dma_sync_single_for_device']
      : [];
    expect(log.events.map(({ kind }) => kind)).toEqual(kinds);
  }
});

it('dma_map_single neither maps nor unmaps MMIO', () => {
  const { dev, log } = testMachine();
  const phys = physAddr(0x100_0000);
  expect(dmaMapSingleAttrs(dev, phys, PAGE, 'to-device', { mmio: true })).toBe(DMA_MAPPING_ERROR);
  const address = mapped(dmaMapSingleAttrs(dev, phys, PAGE, 'to-device', NO_ATTRS));
  const { length } = log.events;
  dmaUnmapSingleAttrs(dev, address, PAGE, 'to-device', { mmio: true });
  expect(log.events).toHaveLength(length);
  dmaUnmapSingleAttrs(dev, address, PAGE, 'to-device', NO_ATTRS);
  expect(log.events.at(-1)).toMatchObject({ kind: 'dma:dma_unmap_phys', attrs: '' });
});

describe('dma_unmap_phys: misuse', () => {
  it('an address that is not mapped is only reported', () => {
    const machine = testMachine();
    dmaUnmapPhys(machine.dev, dmaAddr(0x5000), PAGE, 'to-device', NO_ATTRS);
    expect(rulesOf(machine)).toEqual(['dma-unmap-of-unmapped']);
    expect(takeTrace(machine)).toEqual([]);
  });

  it.each([
    ['behind an IOMMU, it is reported', true, ['dma-unmap-of-unmapped']],
    ['directly, silently', false, []],
  ])('what a failed mapping returned does nothing: %s', (_name, iommu, rules) => {
    const machine = testMachine();
    // The last page of the space is taken, so that an address that wraps would find it.
    machine.domain.table.mapRange(2 ** 36 - 1, 0, 1, 0, PAGE, 3);
    if (!iommu) iommuSetupDmaOps(machine.dev, null);
    dmaUnmapPhys(machine.dev, DMA_MAPPING_ERROR as unknown as DmaAddr, PAGE, 'to-device', NO_ATTRS);
    expect(rulesOf(machine)).toEqual(rules);
    expect(machine.domain.unmapCalls).toBe(0);
    expect(machine.log.events.at(-1)).toMatchObject({ kind: 'dma:dma_unmap_phys', dmaAddr: -1 });
  });

  it('a second unmap is reported and frees nothing twice', () => {
    const machine = testMachine();
    const address = mapped(dmaMapPhys(machine.dev, physAddr(0x100_0000), PAGE, 'to-device', NO_ATTRS));
    dmaUnmapPhys(machine.dev, address, PAGE, 'to-device', NO_ATTRS);
    dmaUnmapPhys(machine.dev, address, PAGE, 'to-device', NO_ATTRS);
    expect(rulesOf(machine)).toEqual(['dma-unmap-of-unmapped']);
    expect(machine.iovad.cachedRanges).toBe(1);
  });

  it('more bytes than were mapped are reported', () => {
    const machine = testMachine();
    const address = mapped(dmaMapPhys(machine.dev, physAddr(0x100_0000), PAGE, 'to-device', NO_ATTRS));
    dmaUnmapPhys(machine.dev, address, 2 * PAGE, 'to-device', NO_ATTRS);
    expect(rulesOf(machine)).toContain('dma-unmap-short');
  });
});

describe('dma_map_phys: failures leave nothing behind', () => {
  it.each([
    ['one page', 0x100_0000, PAGE],
    ['pages over two tables', 0x1ff_f000, 3 * 2 ** 20],
  ])('when table pages run out: %s', (_name, phys, size) => {
    for (let allowed = 0; ; allowed += 1) {
      const machine = testMachine();
      machine.frames.failAfter = allowed;
      const tables = machine.frames.liveFrames;
      const address = dmaMapPhys(machine.dev, physAddr(phys), size, 'to-device', NO_ATTRS);
      if (address !== DMA_MAPPING_ERROR) {
        expect(allowed).toBeGreaterThan(2);
        break;
      }
      expect(leftovers(machine)).toEqual({ entries: 0, ranges: 0 });
      expect(machine.frames.liveFrames - tables).toBeLessThanOrEqual(allowed);
      machine.frames.failAfter = -1;
      const again = mapped(dmaMapPhys(machine.dev, physAddr(phys), size, 'to-device', NO_ATTRS));
      dmaUnmapPhys(machine.dev, again, size, 'to-device', NO_ATTRS);
      expect(leftovers(machine)).toEqual({ entries: 0, ranges: 0 });
    }
  });

  it('when addresses run out', () => {
    const machine = testMachine({ device: { dmaMask: dmaBitMask(16) } });
    const addresses: number[] = [];
    for (let phys = 0x100_0000; ; phys += PAGE) {
      const address = dmaMapPhys(machine.dev, phys as PhysAddr, PAGE, 'to-device', NO_ATTRS);
      if (address === DMA_MAPPING_ERROR) break;
      addresses.push(address);
    }
    expect(addresses.map(hexOf)).toEqual('fedcba987654321'.split('').map((digit) => `${digit}000`));
    expect(leftovers(machine)).toEqual({ entries: 15, ranges: 15 });
    for (const address of addresses) {
      dmaUnmapPhys(machine.dev, dmaAddr(address), PAGE, 'to-device', NO_ATTRS);
    }
    expect(leftovers(machine)).toEqual({ entries: 0, ranges: 0 });
  });
});
