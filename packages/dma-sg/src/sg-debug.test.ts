// The checker's loops over lists: an entry per DMA segment, the silence of Linux where it has none, peers, failures.

import {
  checkDmaAccess,
  DmaDebug,
  type DmaDebugFinding,
  type DmaDebugOptions,
  NO_ATTRS,
} from '@sgfree/dma-core';
import { dmaAddr } from '@sgfree/hw-model';
import { describe, expect, it } from 'vitest';
import {
  BRIDGE_PEER,
  BUS_PEER,
  PEER_BUS_OFFSET,
  type SgMachineOptions,
  sgMachine,
  tableOf,
  UNREACHABLE_PEER,
} from '../test/sg-machine.ts';
import { dmaMapSgtable, dmaUnmapSg, dmaUnmapSgtable } from './dma-map-sg.ts';
import { dmaSyncSgtableForCpu, dmaSyncSgtableForDevice } from './dma-sync-sg.ts';

const PAGE = 4096;

function watched(options: SgMachineOptions = {}, checker: DmaDebugOptions = {}) {
  const findings: DmaDebugFinding[] = [];
  const debug = new DmaDebug({ ...checker, onFinding: (finding) => findings.push(finding) });
  const machine = sgMachine(options);
  machine.platform.debug = debug;
  return { ...machine, debug, findings, rules: () => findings.splice(0).map(({ rule }) => rule) };
}

/** What meets at page boundaries becomes one segment behind an IOMMU: three of five entries. */
const fiveEntries = () =>
  tableOf([0x1000, 0, PAGE], [0x1001, 0, PAGE], [0x2000, 0, 2048], [0x3000, 100, 200], [0x3000, 1000, 200]);

describe.each([true, false])('behind an IOMMU: %o', (iommu) => {
  it('an entry per DMA segment, not per list entry', () => {
    const { dev, debug, rules, platform } = watched({ iommu });
    const table = fiveEntries();
    expect(dmaMapSgtable(dev, table, 'from-device', NO_ATTRS)).toBe(0);
    expect(table.mappedCount).toBe(iommu ? 3 : 5);
    expect(debug.liveMappings).toBe(table.mappedCount);
    for (let at = 0; at < table.mappedCount; at += 1) {
      const address = dmaAddr(table.list.dmaAddress[at] as number);
      expect(checkDmaAccess(dev, address, table.list.dmaLength[at] as number, 'write')).toBeNull();
    }
    dmaSyncSgtableForCpu(dev, table, 'from-device');
    dmaSyncSgtableForDevice(dev, table, 'from-device');
    const looked = platform.frames.touched;
    dmaUnmapSgtable(dev, table, 'from-device', NO_ATTRS);
    expect(platform.frames.touched).toBe(looked);
    expect([debug.liveMappings, rules()]).toEqual([0, []]);
  });

  it('a list that was never mapped: each entry at unmapping, nothing at syncing but ours', () => {
    const { dev, rules } = watched({ iommu });
    const table = tableOf([0x1000, 0, PAGE], [0x2000, 0, PAGE]);
    dmaMapSgtable(dev, table, 'to-device', NO_ATTRS);
    dmaUnmapSgtable(dev, table, 'to-device', NO_ATTRS);
    dmaSyncSgtableForCpu(dev, table, 'to-device');
    expect(rules()).toEqual(['dma-shadow-use-after-unmap']);
    dmaUnmapSg(dev, table.list, 2, 'to-device');
    // Behind the IOMMU the second entry carries no address: it was merged into the first.
    expect(rules().filter((rule) => rule.startsWith('dma-debug'))).toEqual([
      'dma-debug-free-unknown',
      iommu ? 'dma-debug-free-invalid' : 'dma-debug-free-unknown',
    ]);
  });

  it('a list that could not be mapped leaves nothing behind', () => {
    const { dev, debug, rules } = watched({ iommu });
    const table = tableOf([0x1000, 0, PAGE], [UNREACHABLE_PEER, 0, PAGE]);
    expect(dmaMapSgtable(dev, table, 'to-device', NO_ATTRS)).toBe(-121);
    expect([debug.liveMappings, rules()]).toEqual([0, []]);
  });

  it('peer segments are entries like others: bus addresses too, and no MMIO mark is missed', () => {
    const { dev, debug, rules } = watched({ iommu });
    const table = tableOf([BUS_PEER, 0, PAGE], [0x1000, 0, PAGE], [BRIDGE_PEER, 0, PAGE]);
    dmaMapSgtable(dev, table, 'to-device', NO_ATTRS);
    expect(debug.liveMappings).toBe(iommu ? 2 : 3);
    const bus = dmaAddr(BUS_PEER * PAGE + PEER_BUS_OFFSET);
    expect(checkDmaAccess(dev, bus, PAGE, 'read')).toBeNull();
    dmaUnmapSgtable(dev, table, 'to-device', NO_ATTRS);
    expect([debug.liveMappings, rules()]).toEqual([0, []]);
  });
});

it('one list mapped twice on the direct map: syncing it is found by its entry count, unmapping takes both', () => {
  const { dev, debug, rules } = watched({ iommu: false });
  const [one, other] = [tableOf([0x1000, 0, PAGE]), tableOf([0x1000, 0, PAGE], [0x2000, 0, PAGE])];
  for (const table of [one, other]) dmaMapSgtable(dev, table, 'to-device', NO_ATTRS);
  for (const table of [one, other]) dmaSyncSgtableForDevice(dev, table, 'to-device');
  for (const table of [one, other]) dmaUnmapSgtable(dev, table, 'to-device', NO_ATTRS);
  expect([debug.liveMappings, rules()]).toEqual([0, []]);
});

it('the length limit looks at the list entry of the same number, not at the memory that the segment maps', () => {
  const { dev, findings } = watched({ maxSegmentSize: 2 * PAGE });
  // One segment of two pages; entry 1 is too long but only segment numbers count.
  const short = tableOf([0x1000, 0, PAGE], [0x1001, 0, 3 * PAGE]);
  dmaMapSgtable(dev, short, 'to-device', NO_ATTRS);
  expect(short.mappedCount).toBe(2);
  expect(findings).toMatchObject([{ rule: 'dma-debug-segment-too-long', length: 3 * PAGE, max: 2 * PAGE }]);
});

it('stops in the middle of a list when entries run out', () => {
  const { dev, debug, rules } = watched({ iommu: false }, { entries: 32, mostEntries: 32 });
  const table = tableOf(...Array.from({ length: 40 }, (_, at) => [0x1000 + 2 * at, 0, PAGE] as const));
  dmaMapSgtable(dev, table, 'to-device', NO_ATTRS);
  expect([debug.liveMappings, rules()]).toEqual([32, ['dma-debug-out-of-memory']]);
});
