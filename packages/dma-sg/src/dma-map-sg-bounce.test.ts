// Lists of an untrusted device: entry by entry, bounced where they do not fill pages.

import { NO_ATTRS } from '@sgfree/dma-core';
import { Errno } from '@sgfree/mm';
import { describe, expect, it } from 'vitest';
import { BumpPool } from '../test/bump-pool.ts';
import { segments, sgMachine, tableOf, takeCalls } from '../test/sg-machine.ts';
import { dmaMapSgtable, dmaUnmapSgtable } from './dma-map-sg.ts';
import { dmaSyncSgtableForCpu, dmaSyncSgtableForDevice } from './dma-sync-sg.ts';
import { SG_DMA_SWIOTLB } from './scatterlist.ts';

const untrusted = (pool: BumpPool) =>
  sgMachine({ device: { untrusted: true }, swiotlb: { active: true, pool } });

describe('an untrusted device', () => {
  it('maps each entry by itself and merges nothing', () => {
    const pool = new BumpPool(8);
    const machine = untrusted(pool);
    const table = tableOf([0x1000, 0x200, 0x100], [0x2000, 0, 0x1000], [0x2001, 0, 0x1000]);
    expect(dmaMapSgtable(machine.dev, table, 'bidirectional', NO_ATTRS)).toBe(0);
    expect(takeCalls(machine)).toEqual([
      'map fffff000 8000000 1000',
      'map ffffe000 2000000 1000',
      'map ffffd000 2001000 1000',
    ]);
    expect(segments(table.list, 3)).toEqual(['fffff000+100', 'ffffe000+1000', 'ffffd000+1000']);
    expect([...table.list.dmaFlags.subarray(0, 3)]).toEqual([SG_DMA_SWIOTLB, 0, 0]);
    dmaSyncSgtableForCpu(machine.dev, table, 'bidirectional');
    dmaSyncSgtableForDevice(machine.dev, table, 'bidirectional');
    dmaUnmapSgtable(machine.dev, table, 'bidirectional', NO_ATTRS);
    expect(pool.calls).toEqual([
      'map 1000200 100',
      'cpu 8000000 100',
      'device 8000000 100',
      'unmap 8000000 100',
    ]);
    expect(machine.liveRanges()).toBe(0);
    expect(machine.domain.table.liveLeafEntries).toBe(0);
  });

  it('out of slots: -EIO, the entries before are undone', () => {
    const pool = new BumpPool(2);
    const machine = untrusted(pool);
    const table = tableOf([0x1000, 1, 0x10], [0x2000, 1, 0x10], [0x3000, 1, 0x10]);
    expect(dmaMapSgtable(machine.dev, table, 'to-device', NO_ATTRS)).toBe(-Errno.EIO);
    expect(pool.calls.slice(2)).toEqual(['unmap 8000000 10', 'unmap 8001000 10']);
    expect(machine.liveRanges()).toBe(0);
    expect(machine.domain.table.liveLeafEntries).toBe(0);
  });
});
