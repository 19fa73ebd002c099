// The direct map: address for address as far as the mask reaches, bounced or refused beyond.

import { dmaAddr, EventLog, PhysicalMemory, physAddr } from '@sgfree/hw-model';
import { describe, expect, it } from 'vitest';
import { BumpPool } from '../test/bump-pool.ts';
import { rulesOf } from '../test/vtd-machine.ts';
import {
  type Device,
  type DeviceOptions,
  DMA_MAPPING_ERROR,
  type DmaAttrs,
  DmaPlatform,
  dmaBitMask,
  dmaCapable,
  dmaMapPhys,
  dmaNeedSync,
  dmaNeedUnmap,
  dmaSetMask,
  dmaUnmapPhys,
  iommuSetupDmaOps,
  NO_ATTRS,
  pciDevice,
  type Swiotlb,
} from './index.ts';

const GIB = 2 ** 30;
const HIGH = physAddr(4 * GIB + 0x1200);
const LOW = physAddr(0x1200);

function directDevice(swiotlb: Swiotlb | null, device: Partial<DeviceOptions> = {}): Device {
  const memory = new PhysicalMemory();
  memory.addRam(physAddr(0), 2 * GIB);
  memory.addRam(physAddr(4 * GIB), GIB);
  const log = new EventLog();
  log.enabled = true;
  const dev = pciDevice({ name: 'direct', platform: new DmaPlatform({ memory, log, swiotlb }), ...device });
  iommuSetupDmaOps(dev, null);
  return dev;
}

const map = (dev: Device, phys: typeof HIGH, attrs: DmaAttrs = NO_ATTRS): number =>
  dmaMapPhys(dev, phys, 0x100, 'bidirectional', attrs);

it.each([
  [0xffffffff, 0xffffff00, 0x100, true],
  [0xffffffff, 0xffffff01, 0x100, false],
  [dmaBitMask(64), 2 ** 51, 0x1000, true],
  [0xffffffff, -1, 1, false],
])('mask %d reaches address %d with %d bytes: %s', (mask, address, size, reach) => {
  expect(dmaCapable(directDevice(null, { dmaMask: mask }), address, size)).toBe(reach);
});

it('a bus limit binds like the mask', () => {
  const dev = directDevice(null, { busDmaLimit: 0xfffffff });
  expect(dmaCapable(dev, 0xfffffff, 1)).toBe(true);
  expect(dmaCapable(dev, 0x10000000, 1)).toBe(false);
});

describe('what the mask does not reach', () => {
  it('is refused and reported without a pool', () => {
    const dev = directDevice(null);
    expect(map(dev, LOW)).toBe(LOW);
    expect(map(dev, HIGH)).toBe(DMA_MAPPING_ERROR);
    expect(rulesOf(dev)).toEqual(['dma-address-overflow']);
    dmaSetMask(dev, dmaBitMask(64));
    expect(map(dev, HIGH)).toBe(HIGH);
  });

  it('bounces, is copied, and comes back', () => {
    const pool = new BumpPool(0x400_0000, 0x10_0000);
    const dev = directDevice({ active: true, pool });
    dmaSetMask(dev, dmaBitMask(32));
    const { memory } = dev.platform;
    memory.write(HIGH, Uint8Array.of(1, 2, 3));
    expect([dmaNeedUnmap(dev), map(dev, HIGH)]).toEqual([false, 0x400_0000]);
    expect(dmaNeedUnmap(dev)).toBe(true);
    expect([dmaNeedSync(dev, dmaAddr(0x400_0000)), dmaNeedSync(dev, dmaAddr(0x1000))]).toEqual([true, false]);
    const seen = new Uint8Array(3);
    memory.read(physAddr(0x400_0000), seen);
    expect([...seen]).toEqual([1, 2, 3]);
    memory.write(physAddr(0x400_0000), Uint8Array.of(9));
    dmaUnmapPhys(dev, dmaAddr(0x400_0000), 0x100, 'bidirectional', NO_ATTRS);
    memory.read(HIGH, seen);
    expect([...seen]).toEqual([9, 2, 3]);
    expect(pool.live.size).toBe(0);
  });

  it('is not copied back with skipCpuSync', () => {
    const pool = new BumpPool(0x400_0000, 0x10_0000);
    const dev = directDevice({ active: true, pool });
    const address = map(dev, HIGH);
    dev.platform.memory.write(physAddr(address), Uint8Array.of(9));
    dmaUnmapPhys(dev, dmaAddr(address), 0x100, 'bidirectional', { skipCpuSync: true });
    const seen = new Uint8Array(1);
    dev.platform.memory.read(HIGH, seen);
    expect([seen[0], pool.live.size]).toEqual([0, 0]);
  });

  it.each<[string, DmaAttrs]>([
    ['MMIO', { mmio: true }],
    ['demanded coherence', { requireCoherent: true }],
  ])('never bounces as %s', (_name, attrs) => {
    const pool = new BumpPool(0x400_0000, 0x10_0000);
    const dev = directDevice({ active: true, pool });
    expect(map(dev, HIGH, attrs)).toBe(DMA_MAPPING_ERROR);
    expect(map(dev, LOW, attrs)).toBe(LOW);
    dmaUnmapPhys(dev, dmaAddr(LOW), 0x100, 'bidirectional', attrs);
    expect(pool.live.size).toBe(0);
    const forced = directDevice({ active: true, forceBounce: true, pool });
    expect(map(forced, LOW, attrs)).toBe(DMA_MAPPING_ERROR);
  });

  it('fails when the pool is out of reach too, and the slots go back', () => {
    const pool = new BumpPool(0x400_0000, 0x10_0000);
    const dev = directDevice({ active: true, pool }, { dmaMask: dmaBitMask(24) });
    expect(map(dev, HIGH)).toBe(DMA_MAPPING_ERROR);
    expect(rulesOf(dev)).toEqual(['dma-address-overflow']);
    expect(pool.live.size).toBe(0);
  });

  it('fails when the pool has no slots or is full', () => {
    expect(map(directDevice({ active: true, pool: null }), HIGH)).toBe(DMA_MAPPING_ERROR);
    const pool = new BumpPool(0x400_0000, 0x10_0000);
    pool.failAfter = 0;
    const dev = directDevice({ active: true, pool });
    expect(map(dev, HIGH)).toBe(DMA_MAPPING_ERROR);
    expect(rulesOf(dev)).toEqual(['swiotlb-full']);
  });
});

it('a forced device bounces everything', () => {
  const pool = new BumpPool(0x400_0000, 0x10_0000);
  const dev = directDevice({ active: true, forceBounce: true, pool });
  expect(map(dev, LOW)).toBe(0x400_0000);
  expect(dev.log.events[0]).toMatchObject({ kind: 'swiotlb:swiotlb_bounced', devAddr: LOW, forced: true });
});

it('a range map shifts addresses and has holes', () => {
  const dmaRanges = [{ cpuStart: physAddr(0), dmaStart: dmaAddr(0x8000_0000), bytes: 0x1000_0000 }];
  const dev = directDevice(null, { dmaRanges });
  expect(map(dev, LOW)).toBe(0x8000_1200);
  expect(map(dev, physAddr(0x1000_0000))).toBe(DMA_MAPPING_ERROR);
  dmaUnmapPhys(dev, dmaAddr(0x8000_1200), 0x100, 'bidirectional', NO_ATTRS);
  dmaUnmapPhys(dev, dmaAddr(0x1200), 0x100, 'bidirectional', NO_ATTRS);
});
