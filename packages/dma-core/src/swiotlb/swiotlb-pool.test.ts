// The bounce pool: the addresses of vectors F, where bytes go by direction and attribute, how the pool runs out, and
// what misuse does to it.

import { dmaAddr, PhysicalMemory, physAddr } from '@sgfree/hw-model';
import { describe, expect, it } from 'vitest';
import { mapped, rulesOf } from '../../test/vtd-machine.ts';
import {
  type DmaAttrs,
  type DmaDataDirection,
  DmaPlatform,
  dmaMapPhys,
  dmaNeedSync,
  dmaSetMask,
  dmaSyncSingleForCpu,
  dmaSyncSingleForDevice,
  dmaUnmapPhys,
  NO_ATTRS,
  pciDevice,
  SwiotlbPool,
  swiotlbMaxMappingSize,
} from '../index.ts';

const POOL = 0x1000_0000;
const BUFFER = 0x20_0345;

function bouncing({ slots = 0x400, areas = 1, forceBounce = true, coherent = true } = {}) {
  const memory = new PhysicalMemory();
  memory.addRam(physAddr(0), 2 ** 31);
  const pool = new SwiotlbPool({ start: physAddr(POOL), slots, areas });
  const cacheLines: string[] = [];
  const platform = new DmaPlatform({
    memory,
    cpus: 4,
    swiotlb: { active: true, forceBounce, pool },
    cache: {
      syncForDevice: (phys, size) => cacheLines.push(`device ${phys.toString(16)} ${size.toString(16)}`),
      syncForCpu: (phys, size) => cacheLines.push(`cpu ${phys.toString(16)} ${size.toString(16)}`),
      flush: () => undefined,
    },
  });
  const dev = pciDevice({ name: '0000:00:01.0', platform, dmaCoherent: coherent });
  dmaSetMask(dev, 2 ** 32 - 1);
  platform.log.enabled = true;
  const write = (at: number, ...bytes: number[]) => memory.write(physAddr(at), Uint8Array.from(bytes));
  const read = (at: number, count: number): number[] => {
    const into = new Uint8Array(count);
    memory.read(physAddr(at), into);
    return [...into];
  };
  return { memory, pool, platform, dev, log: platform.log, cacheLines, write, read };
}

it('vectors F: addresses by alignment mask, boundary and CPU', () => {
  const { pool, dev, platform } = bouncing({ areas: 2 });
  const map = (cpu: number, orig: number, size: number, align: number): string => {
    platform.currentCpu = cpu;
    return pool.map(dev, physAddr(orig), size, align).toString(16);
  };
  expect(swiotlbMaxMappingSize(dev)).toBe(0x40000);
  expect(map(0, 0x12345678, 0x100, 0)).toBe('10000000');
  expect(map(0, 0x12345678, 0x1000, 0)).toBe('10001000');
  expect(map(0, 0x12345678, 0x3000, 0)).toBe('10002000');
  expect(map(1, 0x12345678, 0x800, 0)).toBe('10100000');
  dev.minAlignMask = 0xfff;
  expect(swiotlbMaxMappingSize(dev)).toBe(0x3f000);
  expect(map(1, 0x12345678, 0x100, 0)).toBe('10101678');
  expect(map(1, 0x12345abc, 0x1000, 0)).toBe('10101abc');
  expect(map(1, 0x12345678, 0x1000, 0xfff)).toBe('10103678');
  pool.unmap(dev, physAddr(0x10000000), 0x100, 'to-device', NO_ATTRS);
  dev.minAlignMask = 0;
  dev.segmentBoundaryMask = 0xffff;
  expect(map(1, 0x20000000, 0x9000, 0)).toBe('10105000');
  expect(map(1, 0x20000000, 0x9000, 0)).toBe('10110000');
});

describe.each<[DmaDataDirection, boolean, boolean]>([
  ['to-device', true, false],
  ['from-device', false, true],
  ['bidirectional', true, true],
])('%s', (dir, toDevice, fromDevice) => {
  it.each<[string, DmaAttrs]>([
    ['without attributes', NO_ATTRS],
    ['with SKIP_CPU_SYNC', { skipCpuSync: true }],
  ])('bytes are copied in on map, and back on unmap as they should, %s', (_name, attrs) => {
    const { pool, dev, write, read } = bouncing();
    write(BUFFER, 1, 2, 3, 4);
    const address = dmaMapPhys(dev, physAddr(BUFFER), 4, dir, attrs);
    expect(address).toBe(POOL);
    expect(read(POOL, 4)).toEqual([1, 2, 3, 4]);
    write(POOL, 9);
    dmaUnmapPhys(dev, mapped(address), 4, dir, attrs);
    const back = fromDevice && attrs.skipCpuSync !== true;
    expect(read(BUFFER, 4)).toEqual(back ? [9, 2, 3, 4] : [1, 2, 3, 4]);
    expect(pool.usedSlots).toBe(0);
  });

  it('a part in a later slot is synced where it belongs', () => {
    const { dev, write, read } = bouncing();
    dev.minAlignMask = 0xfff;
    const address = dmaMapPhys(dev, physAddr(BUFFER), 0x1800, dir, NO_ATTRS);
    expect(address).toBe(POOL + 0x345);
    const part = 0x1000;
    write(BUFFER + part, 5);
    dmaSyncSingleForDevice(dev, dmaAddr(POOL + 0x345 + part), 1, dir);
    expect(read(POOL + 0x345 + part, 1)).toEqual([toDevice ? 5 : 0]);
    write(POOL + 0x345 + part, 6);
    dmaSyncSingleForCpu(dev, dmaAddr(POOL + 0x345 + part), 1, dir);
    expect(read(BUFFER + part, 1)).toEqual([fromDevice ? 6 : 5]);
  });
});

it('only what the device wrote changes the buffer', () => {
  const { pool, dev, write, read } = bouncing();
  write(BUFFER, 1, 2, 3, 4);
  const address = dmaMapPhys(dev, physAddr(BUFFER), 4, 'from-device', NO_ATTRS);
  write(POOL + 1, 7);
  dmaUnmapPhys(dev, mapped(address), 4, 'from-device', NO_ATTRS);
  expect(read(BUFFER, 5)).toEqual([1, 7, 3, 4, 0]);
  expect(pool.usedSlots).toBe(0);
});

it('memory out of reach bounces into the pool, MMIO and demanded coherence do not', () => {
  const { dev, platform } = bouncing({ forceBounce: false });
  platform.memory.addRam(physAddr(2 ** 32), 2 ** 20);
  const high = physAddr(2 ** 32);
  expect(dmaMapPhys(dev, physAddr(BUFFER), 4, 'to-device', NO_ATTRS)).toBe(BUFFER);
  expect(dmaNeedSync(dev, dmaAddr(BUFFER))).toBe(false);
  expect(dmaMapPhys(dev, high, 4, 'to-device', { mmio: true })).toBe(-1);
  expect(dmaMapPhys(dev, high, 4, 'to-device', { requireCoherent: true })).toBe(-1);
  expect(dmaMapPhys(dev, high, 4, 'to-device', NO_ATTRS)).toBe(POOL);
  expect(dmaNeedSync(dev, dmaAddr(POOL))).toBe(true);
  expect(dmaNeedSync(dev, dmaAddr(BUFFER))).toBe(false);
  expect(platform.log.events.filter(({ kind }) => kind === 'swiotlb:swiotlb_bounced')).toMatchObject([
    { devAddr: 2 ** 32, size: 4, forced: false },
  ]);
});

it('a pool that the device cannot reach gives the slots back', () => {
  const { pool, dev, log } = bouncing();
  dev.dmaMask = 0xfff_ffff;
  expect(dmaMapPhys(dev, physAddr(BUFFER), 4, 'to-device', NO_ATTRS)).toBe(-1);
  expect(rulesOf({ log })).toEqual(['dma-address-overflow']);
  expect(pool.usedSlots).toBe(0);
});

it('on a device without coherence the caches of the slots are looked after', () => {
  const { dev, cacheLines } = bouncing({ coherent: false });
  const address = dmaMapPhys(dev, physAddr(BUFFER), 4, 'from-device', NO_ATTRS);
  dmaUnmapPhys(dev, mapped(address), 4, 'from-device', NO_ATTRS);
  expect(cacheLines).toEqual(['device 10000000 4', 'cpu 10000000 4']);
});

it('a full pool says so, and nothing is bounced; the next mapping fits once a slot is free', () => {
  const { dev, log } = bouncing({ slots: 128 });
  const first = dmaMapPhys(dev, physAddr(BUFFER), 0x40000, 'to-device', NO_ATTRS);
  expect(first).toBe(POOL);
  expect(dmaMapPhys(dev, physAddr(BUFFER), 1, 'to-device', { noWarn: true })).toBe(-1);
  expect(rulesOf({ log })).toEqual([]);
  expect(dmaMapPhys(dev, physAddr(BUFFER), 1, 'to-device', NO_ATTRS)).toBe(-1);
  expect(rulesOf({ log })).toEqual(['swiotlb-full']);
  dmaUnmapPhys(dev, mapped(first), 0x40000, 'to-device', NO_ATTRS);
  expect(dmaMapPhys(dev, physAddr(BUFFER), 1, 'to-device', NO_ATTRS)).toBe(POOL);
});

it('more than a segment never fits, however empty the pool', () => {
  const { pool, dev } = bouncing();
  expect(pool.map(dev, physAddr(BUFFER), 0x40001, 0)).toBe(-1);
  expect(pool.areas).toEqual([{ used: 0, index: 0 }]);
});

it('a CPU whose area is full takes slots of the next', () => {
  const { pool, dev, platform } = bouncing({ slots: 256, areas: 2 });
  platform.currentCpu = 1;
  expect(pool.map(dev, physAddr(BUFFER), 0x40000, 0)).toBe(POOL + 0x40000);
  expect(pool.map(dev, physAddr(BUFFER), 0x800, 0)).toBe(POOL);
  expect(pool.map(dev, physAddr(BUFFER), 0x40000, 0)).toBe(-1);
});

it('swiotlb-release-by-slot: what is given back stands in the slot, size bounds the copy', () => {
  const { pool, dev, write, read } = bouncing();
  pool.map(dev, physAddr(BUFFER), 0x1800, 0);
  write(POOL, 8, 8);
  pool.unmap(dev, physAddr(POOL), 1, 'from-device', NO_ATTRS);
  expect(read(BUFFER, 2)).toEqual([8, 0]);
  expect(pool.usedSlots).toBe(0);
});

it('swiotlb-mask-change-leak: another alignment in between leaves a slot behind', () => {
  const { pool, dev } = bouncing();
  dev.minAlignMask = 0x7ff;
  const address = pool.map(dev, physAddr(BUFFER + 0x400), 0x800, 0);
  expect(pool.usedSlots).toBe(2);
  dev.minAlignMask = 0;
  pool.unmap(dev, physAddr(address), 0x800, 'to-device', NO_ATTRS);
  expect(pool.usedSlots).toBe(1);
});

it('a copy that reaches beyond the mapping is cut off and reported', () => {
  const { pool, dev, log, write, read } = bouncing();
  pool.map(dev, physAddr(BUFFER), 4, 0);
  write(POOL, 1, 1, 1, 1, 1, 1);
  pool.syncForCpu(dev, physAddr(POOL), 6, 'from-device');
  expect(read(BUFFER, 6)).toEqual([1, 1, 1, 1, 0, 0]);
  expect(rulesOf({ log })).toEqual(['swiotlb-overflow']);
});

it('releasing twice is reported and takes nothing from anyone', () => {
  const { pool, dev, log } = bouncing();
  const kept = pool.map(dev, physAddr(BUFFER), 4, 0);
  const gone = pool.map(dev, physAddr(BUFFER), 4, 0);
  pool.unmap(dev, physAddr(gone), 4, 'to-device', NO_ATTRS);
  pool.unmap(dev, physAddr(gone), 4, 'to-device', NO_ATTRS);
  expect(rulesOf({ log })).toEqual(['swiotlb-release-of-free']);
  expect(pool.usedSlots).toBe(1);
  pool.unmap(dev, physAddr(kept), 4, 'to-device', NO_ATTRS);
  expect(pool.usedSlots).toBe(0);
});

it('memory that is not there is reported', () => {
  const { pool, dev, log } = bouncing();
  expect(pool.map(dev, physAddr(2 ** 33), 4, 0)).toBe(POOL);
  expect(rulesOf({ log })).toEqual(['swiotlb-no-memory']);
});

it('a segment boundary that is no power of two cannot be', () => {
  const { pool, dev } = bouncing();
  dev.segmentBoundaryMask = 0x17ff;
  expect(() => pool.map(dev, physAddr(BUFFER), 4, 0)).toThrow(
    expect.objectContaining({ rule: 'swiotlb-odd-boundary' }),
  );
});

it.each([
  [{ slots: 0 }],
  [{ slots: 256, areas: 3 }],
  [{ slots: 256, areas: 4 }],
  [{ slots: 256, areaIndexes: [256] }],
  [{ slots: 128, start: physAddr(POOL + 1024) }],
])('a pool that cannot be divided so: %j', (options) => {
  expect(() => new SwiotlbPool({ start: physAddr(POOL), ...options })).toThrow();
});
