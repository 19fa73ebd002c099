// What dma_map_sg and dma_map_sgtable answer when something is wrong, and that nothing stays behind.

import { type DmaDataDirection, NO_ATTRS } from '@sgfree/dma-core';
import { dmaAddr, physAddr } from '@sgfree/hw-model';
import { IOMMU_READ, iommuMap } from '@sgfree/iommu';
import { Errno } from '@sgfree/mm';
import { describe, expect, it } from 'vitest';
import { type Entry, entriesOf, segments, sgMachine, tableOf, UNREACHABLE_PEER } from '../test/sg-machine.ts';
import { dmaMapSg, dmaMapSgtable, dmaUnmapSgtable } from './dma-map-sg.ts';
import { SgTable } from './sg-table.ts';

const scattered: Entry[] = [
  [0x1000, 0x10, 0x2000],
  [0x5000, 0, 0x300000],
  [0x9000, 0x800, 0x1800],
];

describe('errno of a failed mapping', () => {
  it('no IOVA: -ENOMEM, and 0 from dma_map_sg', () => {
    const machine = sgMachine({ startPfn: 0xffff0, maskBits: 32 });
    const table = tableOf([0x1000, 0, 0x11000]);
    expect(dmaMapSgtable(machine.dev, table, 'to-device', NO_ATTRS)).toBe(-Errno.ENOMEM);
    expect(dmaMapSg(machine.dev, table.list, 1, 'to-device')).toBe(0);
    expect(entriesOf(table.list)).toEqual([[0x1000, 0, 0x11000]]);
  });

  it('a peer out of reach: -EREMOTEIO', () => {
    const machine = sgMachine();
    const table = tableOf([0x1000, 0x20, 0x1000], [UNREACHABLE_PEER, 0, 0x1000]);
    expect(dmaMapSgtable(machine.dev, table, 'to-device', NO_ATTRS)).toBe(-Errno.EREMOTEIO);
    expect(entriesOf(table.list)).toEqual([
      [0x1000, 0x20, 0x1000],
      [UNREACHABLE_PEER, 0, 0x1000],
    ]);
    expect(segments(table.list, 2)).toEqual(['-', '-']);
  });

  it('sg-errno-collapse: an occupied page table is -EINVAL, and the part done is taken back', () => {
    const machine = sgMachine();
    iommuMap(machine.domain, dmaAddr(0xfffff000), physAddr(0x7000), 0x1000, IOMMU_READ);
    const table = tableOf([0x1000, 0, 0x1000], [0x3000, 0, 0x1000]);
    expect(dmaMapSgtable(machine.dev, table, 'to-device', NO_ATTRS)).toBe(-Errno.EINVAL);
    expect(machine.domain.table.liveLeafEntries).toBe(1);
    expect(machine.liveRanges()).toBe(0);
  });

  it('no table page: -ENOMEM at each of them in turn, and nothing stays', () => {
    let failures = 0;
    for (let allowed = 0; ; allowed += 1) {
      const machine = sgMachine();
      machine.frames.failAfter = allowed;
      const table = tableOf(...scattered);
      const errno = dmaMapSgtable(machine.dev, table, 'from-device', NO_ATTRS);
      machine.frames.failAfter = -1;
      if (errno === 0) {
        dmaUnmapSgtable(machine.dev, table, 'from-device', NO_ATTRS);
        expect(machine.domain.table.liveLeafEntries).toBe(0);
        break;
      }
      failures += 1;
      expect(errno).toBe(-Errno.ENOMEM);
      expect(entriesOf(table.list)).toEqual(scattered);
      expect(segments(table.list, 3)).toEqual(['-', '-', '-']);
      expect(machine.domain.table.liveLeafEntries).toBe(0);
      expect(machine.liveRanges()).toBe(0);
    }
    expect(failures).toBeGreaterThan(2);
  });

  it('a driver that cannot sync the new mappings: everything is unmapped again', () => {
    const machine = sgMachine({ syncMap: () => -Errno.EIO });
    const table = tableOf(...scattered);
    expect(dmaMapSgtable(machine.dev, table, 'to-device', NO_ATTRS)).toBe(-Errno.EINVAL);
    expect(machine.domain.table.liveLeafEntries).toBe(0);
    expect(machine.liveRanges()).toBe(0);
  });

  it('no entries: -EIO with a warning and an error event', () => {
    for (const iommu of [true, false]) {
      const machine = sgMachine({ iommu });
      expect(dmaMapSgtable(machine.dev, new SgTable(), 'to-device', NO_ATTRS)).toBe(-Errno.EIO);
      expect(machine.log.events.map(({ kind, rule, err }) => [kind, rule ?? err])).toEqual([
        ['violation', 'dma-map-sg-errno'],
        ['dma:dma_map_sg_err', 0],
      ]);
    }
  });
});

describe('checks before the mapping', () => {
  it('REQUIRE_COHERENT on a non-coherent device: -EOPNOTSUPP', () => {
    const { dev } = sgMachine({ device: { dmaCoherent: false } });
    const table = tableOf([0x1000, 0, 0x1000]);
    expect(dmaMapSgtable(dev, table, 'to-device', { requireCoherent: true })).toBe(-Errno.EOPNOTSUPP);
  });

  it('no mask: a success without segments', () => {
    const { dev, log } = sgMachine({ device: { dmaMask: null } });
    const table = tableOf([0x1000, 0, 0x1000]);
    expect(dmaMapSgtable(dev, table, 'to-device', NO_ATTRS)).toBe(0);
    expect(table.mappedCount).toBe(0);
    expect(log.events).toMatchObject([{ kind: 'violation', rule: 'dma-no-mask' }]);
  });

  it.each<[string, number, DmaDataDirection, Entry[]]>([
    ['dma-bad-direction', 1, 'none', [[0x1000, 0, 0x1000]]],
    ['sg-nents-past-end', 2, 'to-device', [[0x1000, 0, 0x1000]]],
    ['sg-entry-without-page', 1, 'to-device', [[-1, 0, 0x1000]]],
  ])('%s throws', (rule, nents, dir, entries) => {
    const { dev } = sgMachine();
    const { list } = tableOf(...entries);
    expect(() => dmaMapSg(dev, list, nents, dir)).toThrow(expect.objectContaining({ rule }));
  });

  it('an END mark before the last entry asked for throws', () => {
    const { dev } = sgMachine();
    const { list } = tableOf([0x1000, 0, 0x1000], [0x2000, 0, 0x1000]);
    list.endMark[0] = 1;
    expect(() => dmaMapSg(dev, list, 2, 'to-device')).toThrow(
      expect.objectContaining({ rule: 'sg-nents-past-end' }),
    );
  });
});
