// The trace events of list mappings: fields, order, and the cut at 128 elements.

import { NO_ATTRS } from '@sgfree/dma-core';
import { describe, expect, it } from 'vitest';
import { type Entry, sgMachine, tableOf, UNREACHABLE_PEER } from '../test/sg-machine.ts';
import { dmaMapSgtable, dmaUnmapSgtable } from './dma-map-sg.ts';

describe('events of a list', () => {
  it('map comes after the operation, unmap before it', () => {
    const { dev, log } = sgMachine();
    const table = tableOf([0x1000, 0x10, 0x20], [0x2000, 0, 0x1000]);
    dmaMapSgtable(dev, table, 'from-device', { skipCpuSync: true });
    dmaUnmapSgtable(dev, table, 'from-device', { skipCpuSync: true });
    expect(log.events.map(({ kind }) => kind)).toEqual([
      'iommu:map',
      'iommu:map',
      'dma:dma_map_sg',
      'dma:dma_unmap_sg',
      'iommu:unmap',
    ]);
    expect(log.events[2]).toEqual({
      kind: 'dma:dma_map_sg',
      device: 'dev0',
      dir: 'FROM_DEVICE',
      nents: 2,
      fullNents: 2,
      ents: 2,
      fullEnts: 2,
      truncated: false,
      dmaAddrs: [0xffffe010, 0xfffff000],
      sizes: [0x20, 0x1000],
      physAddrs: [0x1000010, 0x2000000],
      attrs: 'SKIP_CPU_SYNC',
    });
    expect(log.events[3]).toEqual({
      kind: 'dma:dma_unmap_sg',
      device: 'dev0',
      dir: 'FROM_DEVICE',
      physAddrs: [0x1000010, 0x2000000],
      attrs: 'SKIP_CPU_SYNC',
    });
  });

  it('holds at most 128 elements and says so', () => {
    const { dev, log } = sgMachine({ maxSegmentSize: 0x2000 });
    const entries = Array.from({ length: 130 }, (_, at): Entry => [0x1000 + 2 * at, 0, 0x1000]);
    dmaMapSgtable(dev, tableOf(...entries), 'to-device', NO_ATTRS);
    const event = log.events.find(({ kind }) => kind === 'dma:dma_map_sg');
    expect(event).toMatchObject({ nents: 128, fullNents: 130, ents: 65, fullEnts: 65, truncated: true });
    expect(event?.['physAddrs']).toHaveLength(128);
    expect(event?.['dmaAddrs']).toHaveLength(65);
  });

  it('an expected failure posts nothing', () => {
    const { dev, log } = sgMachine();
    dmaMapSgtable(dev, tableOf([UNREACHABLE_PEER, 0, 0x1000]), 'to-device', NO_ATTRS);
    expect(log.events).toEqual([]);
  });
});
