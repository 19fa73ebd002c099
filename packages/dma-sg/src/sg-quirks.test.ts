// What Linux 7.3.4 does with scatterlists and should not: one test for each, showing the harm.

import { NO_ATTRS } from '@sgfree/dma-core';
import { addOffset, dmaAddr, physAddr } from '@sgfree/hw-model';
import { IOMMU_READ, iommuIovaToPhys, iommuMap } from '@sgfree/iommu';
import { describe, expect, it } from 'vitest';
import { entriesOf, segments, sgMachine, tableOf, UNREACHABLE_PEER } from '../test/sg-machine.ts';
import { dmaMapSgtable, dmaUnmapSgtable } from './dma-map-sg.ts';
import { dmaSyncSgForCpu, dmaSyncSgForDevice } from './dma-sync-sg.ts';
import { sgSetPage } from './scatterlist.ts';

describe('scatterlist quirks', () => {
  it('sg-boundary-padding: the device reaches memory behind a buffer', () => {
    const { dev, domain } = sgMachine({ boundary: 0x3fff });
    const table = tableOf([0x1000, 0, 0x3000], [0x2000, 0, 0x2000]);
    dmaMapSgtable(dev, table, 'from-device', NO_ATTRS);
    const behind = addOffset(dmaAddr(table.list.dmaAddress[0] as number), 0x3000);
    expect(iommuIovaToPhys(domain, behind)).toBe(physAddr(0x1003000));
  });

  it('sg-pad-breaks-merge: padding ends a segment although the next entry would fit', () => {
    const { dev } = sgMachine({ boundary: 0x3fff, maxSegmentSize: 0xffffffff });
    const table = tableOf([0x1000, 0, 0x4000], [0x2000, 0, 0x3000], [0x3000, 0, 0x2000]);
    dmaMapSgtable(dev, table, 'to-device', NO_ATTRS);
    expect(table.mappedCount).toBe(3);
  });

  it('sg-remap-corruption: a list mapped before comes back changed from a failed layout', () => {
    const { dev } = sgMachine();
    const table = tableOf([0x1000, 0, 0x1000], [0x2000, 0x123, 0x400]);
    expect(dmaMapSgtable(dev, table, 'to-device', NO_ATTRS)).toBe(0);
    expect(segments(table.list, 2)).toEqual(['ffffe000+1000', 'fffff123+400']);
    dmaUnmapSgtable(dev, table, 'to-device', NO_ATTRS);
    sgSetPage(table.list, 0, UNREACHABLE_PEER, 0x1000, 0);
    expect(dmaMapSgtable(dev, table, 'to-device', NO_ATTRS)).toBe(-121);
    expect(entriesOf(table.list)).toEqual([
      [UNREACHABLE_PEER, 0xffffe000, 0x1000],
      [0x2000, 0xfffff246, 0x400],
    ]);
  });

  it('sg-errno-collapse: an address beyond the device table is -EINVAL, not -ERANGE', () => {
    const { dev, domain } = sgMachine();
    iommuMap(domain, dmaAddr(0xfffff000), physAddr(0x7000), 0x1000, IOMMU_READ);
    expect(dmaMapSgtable(dev, tableOf([0x1000, 0, 0x1000]), 'to-device', NO_ATTRS)).toBe(-22);
  });

  it('sg-short-map-leak: a short map gives the address back with its pages still mapped', () => {
    const machine = sgMachine({ maxSegmentSize: 0xffffffff });
    // The last bus entry continues the memory before it, so that its run is never installed.
    const table = tableOf([0x3000, 0, 0x1000], [0x1001000 - 1, 0, 0x1000], [0x1001000, 0, 0x1000]);
    expect(dmaMapSgtable(machine.dev, table, 'to-device', NO_ATTRS)).toBe(-22);
    expect(machine.liveRanges()).toBe(0);
    expect(machine.domain.table.liveLeafEntries).toBe(1);
    expect(dmaMapSgtable(machine.dev, tableOf([0x5000, 0, 0x2000]), 'to-device', NO_ATTRS)).toBe(-22);
  });

  it('sg-swiotlb-flag-sticky: a list that bounced once is unmapped entry by entry for ever', () => {
    const pool = {
      map: () => physAddr(0x8000000),
      unmap: () => undefined,
      contains: () => false,
      syncForCpu: () => undefined,
      syncForDevice: () => undefined,
    };
    const bouncing = sgMachine({ device: { untrusted: true }, swiotlb: { active: true, pool } });
    const table = tableOf([0x1000, 0, 0x1000], [0x2000, 0, 0x1000]);
    expect(dmaMapSgtable(bouncing.dev, table, 'to-device', NO_ATTRS)).toBe(0);
    dmaUnmapSgtable(bouncing.dev, table, 'to-device', NO_ATTRS);
    const trusted = sgMachine();
    expect(dmaMapSgtable(trusted.dev, table, 'to-device', NO_ATTRS)).toBe(0);
    expect(segments(table.list, 2)).toEqual(['ffffe000+2000', '-']);
    trusted.log.clear();
    dmaSyncSgForCpu(trusted.dev, table.list, 2, 'to-device');
    dmaSyncSgForDevice(trusted.dev, table.list, 2, 'to-device');
    expect(trusted.log.events.filter(({ kind }) => kind === 'violation')).toEqual([]);
    trusted.log.clear();
    dmaUnmapSgtable(trusted.dev, table, 'to-device', NO_ATTRS);
    expect(trusted.log.events.filter(({ kind }) => kind === 'violation')).toEqual([
      { kind: 'violation', rule: 'dma-unmap-of-unmapped', device: 'dev0', address: -1, size: 0 },
    ]);
  });
});
