// iommu_map_sg by itself: runs, bus entries, failure half way.

import { dmaAddr, physAddr } from '@sgfree/hw-model';
import { IOMMU_READ, IOMMU_WRITE, iommuIovaToPhys, iommuMap } from '@sgfree/iommu';
import { describe, expect, it } from 'vitest';
import { sgMachine, tableOf, takeCalls } from '../test/sg-machine.ts';
import { iommuMapSg } from './iommu-map-sg.ts';
import { sgDmaMarkBusAddress } from './peer-bus-address.ts';

const PROT = IOMMU_READ | IOMMU_WRITE;

describe('iommu_map_sg', () => {
  it('installs one run per call and syncs once', () => {
    let syncs = 0;
    const machine = sgMachine({
      syncMap: () => {
        syncs += 1;
        return 0;
      },
    });
    const { list } = tableOf([0x1000, 0, 0x2000], [0x1002, 0, 0x1000], [0x5000, 0, 0x1000]);
    expect(iommuMapSg(machine.domain, dmaAddr(0x10000), list, 3, PROT)).toBe(0x4000);
    expect(takeCalls(machine)).toEqual(['map 10000 1000000 3000', 'map 13000 5000000 1000']);
    expect(syncs).toBe(1);
  });

  it('leaves bus entries out; they end a run', () => {
    const machine = sgMachine();
    const { list } = tableOf([0x1000, 0, 0x1000], [0x9000, 0, 0x1000], [0x1001, 0, 0x1000]);
    sgDmaMarkBusAddress(list, 1);
    expect(iommuMapSg(machine.domain, dmaAddr(0x10000), list, 3, PROT)).toBe(0x2000);
    expect(takeCalls(machine)).toEqual(['map 10000 1000000 1000', 'map 11000 1001000 1000']);
  });

  it('a bus entry that continues the memory before it does not end the run', () => {
    const machine = sgMachine();
    const { list } = tableOf([0x1000, 0, 0x1000], [0x1001, 0, 0x1000], [0x1001, 0, 0x1000]);
    sgDmaMarkBusAddress(list, 1);
    expect(iommuMapSg(machine.domain, dmaAddr(0x10000), list, 3, PROT)).toBe(0x2000);
    expect(takeCalls(machine)).toEqual(['map 10000 1000000 2000']);
  });

  it('unmaps the runs before a failure and returns its errno', () => {
    const machine = sgMachine();
    iommuMap(machine.domain, dmaAddr(0x12000), physAddr(0x7000), 0x1000, PROT);
    takeCalls(machine);
    const { list } = tableOf([0x1000, 0, 0x1000], [0x5000, 0, 0x2000], [0x8000, 0, 0x1000]);
    expect(iommuMapSg(machine.domain, dmaAddr(0x10000), list, 3, PROT)).toBe(-98);
    expect(takeCalls(machine)).toEqual([
      'map 10000 1000000 1000',
      'map 11000 5000000 1000',
      'unmap 11000 1000 1000',
      'unmap 10000 1000 1000',
    ]);
    expect(machine.domain.table.liveLeafEntries).toBe(1);
    expect(iommuIovaToPhys(machine.domain, dmaAddr(0x12000))).toBe(0x7000);
  });
});
