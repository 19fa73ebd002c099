// Syncing lists: coherent devices have nothing to do, others look after their caches once per entry.

import { type CacheMaintenance, dmaBitMask, dmaSetMask, NO_ATTRS } from '@sgfree/dma-core';
import { describe, expect, it } from 'vitest';
import { BUS_PEER, sgMachine, tableOf, UNREACHABLE_PEER } from '../test/sg-machine.ts';
import { dmaMapSgtable, dmaUnmapSgtable } from './dma-map-sg.ts';
import { dmaSyncSgForCpu, dmaSyncSgForDevice, dmaSyncSgtableForDevice } from './dma-sync-sg.ts';

class CacheLog implements CacheMaintenance {
  readonly calls: string[] = [];
  syncForDevice(phys: number, size: number): void {
    this.calls.push(`device ${phys.toString(16)} ${size.toString(16)}`);
  }
  syncForCpu(phys: number, size: number): void {
    this.calls.push(`cpu ${phys.toString(16)} ${size.toString(16)}`);
  }
  flush(): void {
    this.calls.push('flush');
  }
  take(): string[] {
    return this.calls.splice(0);
  }
}

const nonCoherent = (iommu: boolean) => {
  const cache = new CacheLog();
  return { cache, ...sgMachine({ device: { dmaCoherent: false }, cache, iommu }) };
};

describe('syncing a list', () => {
  it('behind an IOMMU: each entry of the CPU view, one flush', () => {
    const { dev, cache } = nonCoherent(true);
    const table = tableOf([0x1000, 0x10, 0x20], [0x2000, 0, 0x1000]);
    dmaMapSgtable(dev, table, 'bidirectional', NO_ATTRS);
    expect(cache.take()).toEqual(['device 1000010 20', 'device 2000000 1000', 'flush']);
    dmaSyncSgForCpu(dev, table.list, 2, 'bidirectional');
    expect(cache.take()).toEqual(['cpu 1000010 20', 'cpu 2000000 1000', 'flush']);
    dmaSyncSgtableForDevice(dev, table, 'bidirectional');
    expect(cache.take()).toEqual(['device 1000010 20', 'device 2000000 1000', 'flush']);
    dmaUnmapSgtable(dev, table, 'bidirectional', NO_ATTRS);
    expect(cache.take()).toEqual(['cpu 1000010 20', 'cpu 2000000 1000', 'flush']);
  });

  it('SKIP_CPU_SYNC leaves the caches alone on map and unmap', () => {
    const { dev, cache } = nonCoherent(true);
    const table = tableOf([0x1000, 0, 0x1000]);
    dmaMapSgtable(dev, table, 'to-device', { skipCpuSync: true });
    dmaUnmapSgtable(dev, table, 'to-device', { skipCpuSync: true });
    expect(cache.take()).toEqual([]);
  });

  it('looks after the caches before it finds a peer out of reach', () => {
    const { dev, cache } = nonCoherent(true);
    const table = tableOf([0x1000, 0, 0x1000], [UNREACHABLE_PEER, 0, 0x1000]);
    expect(dmaMapSgtable(dev, table, 'to-device', NO_ATTRS)).toBe(-121);
    expect(cache.take()).toHaveLength(3);
  });

  it('on the direct map: by the segments, one flush', () => {
    const { dev, cache } = nonCoherent(false);
    const table = tableOf([0x1000, 0x10, 0x20], [0x2000, 0, 0x30], [BUS_PEER, 0, 0x1000]);
    const toDevice = ['device 1000010 20', 'device 2000000 30', 'flush'];
    const toCpu = ['cpu 1000010 20', 'cpu 2000000 30', 'flush'];
    dmaMapSgtable(dev, table, 'from-device', NO_ATTRS);
    expect(cache.take()).toEqual(toDevice);
    dmaSyncSgForDevice(dev, table.list, 2, 'from-device');
    expect(cache.take()).toEqual(toDevice);
    dmaSyncSgForCpu(dev, table.list, 2, 'from-device');
    expect(cache.take()).toEqual(toCpu);
    dmaUnmapSgtable(dev, table, 'from-device', NO_ATTRS);
    expect(cache.take()).toEqual(toCpu);
  });

  it('on the direct map: nothing to wait for with SKIP_CPU_SYNC or in a list of peers', () => {
    const { dev, cache } = nonCoherent(false);
    const memory = tableOf([0x1000, 0, 0x1000]);
    const peers = tableOf([BUS_PEER, 0, 0x1000]);
    for (const [table, skipCpuSync] of [
      [memory, true],
      [peers, false],
    ] as const) {
      dmaMapSgtable(dev, table, 'to-device', { skipCpuSync });
      dmaUnmapSgtable(dev, table, 'to-device', { skipCpuSync });
    }
    expect(cache.take()).toEqual([]);
  });

  it('on the direct map: an entry whose mapping failed is left alone', () => {
    const { dev, log } = sgMachine({ iommu: false, maskBits: 32 });
    const table = tableOf([0x2000000, 0, 0x1000]);
    expect(dmaMapSgtable(dev, table, 'to-device', NO_ATTRS)).toBe(-5);
    log.clear();
    dmaSyncSgForDevice(dev, table.list, 1, 'to-device');
    dmaSyncSgForCpu(dev, table.list, 1, 'to-device');
    dmaUnmapSgtable(dev, table, 'to-device', NO_ATTRS);
    expect(log.events.map(({ kind }) => kind)).toEqual([
      'dma:dma_sync_sg_for_device',
      'dma:dma_sync_sg_for_cpu',
      'dma:dma_unmap_sg',
    ]);
  });

  it('posts its event only when the device needs it', () => {
    const { dev, log } = sgMachine();
    const table = tableOf([0x1000, 0, 0x1000]);
    dmaMapSgtable(dev, table, 'to-device', NO_ATTRS);
    log.clear();
    dmaSyncSgForCpu(dev, table.list, 1, 'to-device');
    expect(log.events).toEqual([
      {
        kind: 'dma:dma_sync_sg_for_cpu',
        device: 'dev0',
        dir: 'TO_DEVICE',
        dmaAddrs: [0xfffff000],
        sizes: [0x1000],
      },
    ]);
    dmaSetMask(dev, dmaBitMask(64));
    dmaSyncSgForDevice(dev, table.list, 1, 'to-device');
    expect(log.events).toHaveLength(1);
  });
});
