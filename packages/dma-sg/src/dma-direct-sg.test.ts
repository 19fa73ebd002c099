// Lists on the direct map: one segment per entry at its physical address.

import { NO_ATTRS } from '@sgfree/dma-core';
import { Errno } from '@sgfree/mm';
import { describe, expect, it } from 'vitest';
import { BumpPool } from '../test/bump-pool.ts';
import { BRIDGE_PEER, BUS_PEER, segments, sgMachine, tableOf, UNREACHABLE_PEER } from '../test/sg-machine.ts';
import { dmaMapSgtable, dmaUnmapSgtable } from './dma-map-sg.ts';

describe('dma_direct_map_sg', () => {
  it('merges nothing and marks bus addresses', () => {
    const { dev, domain } = sgMachine({ iommu: false });
    const table = tableOf(
      [0x1000, 0, 0x1000],
      [0x1001, 0, 0x1000],
      [BUS_PEER, 4, 8],
      [BRIDGE_PEER, 0, 0x1000],
    );
    expect(dmaMapSgtable(dev, table, 'to-device', NO_ATTRS)).toBe(0);
    expect(table.mappedCount).toBe(4);
    expect(segments(table.list, 4)).toEqual([
      '1000000+1000',
      '1001000+1000',
      '5001000004+8B',
      '2001000000+1000',
    ]);
    dmaUnmapSgtable(dev, table, 'to-device', NO_ATTRS);
    expect([...table.list.dmaFlags.subarray(0, 4)]).toEqual([0, 0, 0, 0]);
    expect(domain.mapCalls).toBe(0);
  });

  it('a peer out of reach: -EREMOTEIO, bus marks before it withdrawn', () => {
    const { dev } = sgMachine({ iommu: false });
    const table = tableOf([BUS_PEER, 0, 0x1000], [UNREACHABLE_PEER, 0, 0x1000]);
    expect(dmaMapSgtable(dev, table, 'to-device', NO_ATTRS)).toBe(-Errno.EREMOTEIO);
    expect(table.list.dmaFlags[0]).toBe(0);
  });

  it('memory beyond the mask: -EIO without a pool, bounced with one', () => {
    const beyond: [number, number, number] = [0x100000, 0, 0x1000];
    const without = sgMachine({ iommu: false, maskBits: 32 });
    expect(dmaMapSgtable(without.dev, tableOf([0x1000, 0, 0x1000], beyond), 'to-device', NO_ATTRS)).toBe(
      -Errno.EIO,
    );
    const pool = new BumpPool(1);
    const machine = sgMachine({ iommu: false, maskBits: 32, swiotlb: { active: true, pool } });
    const table = tableOf([0x1000, 0, 0x1000], beyond);
    expect(dmaMapSgtable(machine.dev, table, 'to-device', NO_ATTRS)).toBe(0);
    expect(segments(table.list, 2)).toEqual(['1000000+1000', '8000000+1000']);
    const full = tableOf(beyond, beyond);
    expect(dmaMapSgtable(machine.dev, full, 'to-device', NO_ATTRS)).toBe(-Errno.EIO);
    dmaUnmapSgtable(machine.dev, table, 'to-device', NO_ATTRS);
    expect(pool.calls).toEqual(['map 100000000 1000', 'cpu 8000000 1000', 'unmap 8000000 1000']);
  });
});
