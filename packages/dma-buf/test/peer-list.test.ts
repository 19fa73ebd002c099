// dma_map_sg of a list that mixes RAM with pages of a peer's BAR: bus entries inside the switch, IOVAs through the host
// bridge, -EREMOTEIO where there is no route; the bytes arrive where the list says.

import { NO_ATTRS } from '@sgfree/dma-core';
import {
  dmaMapSgtable,
  dmaUnmapSgtable,
  SgTable,
  sgDmaIsBusAddress,
  sgInitTable,
  sgSetPage,
} from '@sgfree/dma-sg';
import { dmaAddr, frameOf } from '@sgfree/hw-model';
import { Errno } from '@sgfree/mm';
import { pciAllocP2pmem, pciP2pdmaAddResource } from '@sgfree/p2p';
import { describe, expect, it } from 'vitest';
import { PeerMachine } from './peer-machine.ts';

const RAM_FRAME = 0x100;

/** One page of RAM, two of the peer, one of RAM. */
function mixedList(machine: PeerMachine): { readonly table: SgTable; readonly peerFrame: number } {
  expect(pciP2pdmaAddResource(machine.pdev, 0, 0, 0)).toBe(0);
  const block = pciAllocP2pmem(machine.pdev, 0x2000);
  if (block === null) throw new RangeError('no pool memory');
  const table = new SgTable();
  sgInitTable(table.list, 3);
  table.segmentCount = 3;
  sgSetPage(table.list, 0, RAM_FRAME, 0x1000, 0);
  sgSetPage(table.list, 1, frameOf(block), 0x2000, 0);
  sgSetPage(table.list, 2, RAM_FRAME + 1, 0x800, 0);
  return { table, peerFrame: frameOf(block) };
}

describe.each([true, false])('with an IOMMU: %s', (iommu) => {
  it('beside the provider: a bus address between two ordinary segments', () => {
    const machine = new PeerMachine({ iommu });
    const before = machine.leftovers;
    const { table, peerFrame } = mixedList(machine);
    expect(dmaMapSgtable(machine.near, table, 'bidirectional', NO_ATTRS)).toBe(0);
    const isBus = [0, 1, 2].map((sg) => sgDmaIsBusAddress(table.list, sg));
    expect([table.mappedCount, isBus]).toEqual([3, [false, true, false]]);
    expect(table.list.dmaAddress[1]).toBe(peerFrame * 4096);
    for (let sg = 0; sg < 3; sg += 1) {
      expect(machine.write(machine.near, dmaAddr(table.list.dmaAddress[sg] ?? -1), sg + 1)).toBe('success');
    }
    expect([machine.memory.frameBytes(RAM_FRAME)[0], machine.bar.pageBytes(0)[0]]).toEqual([1, 2]);
    const { switchLocal, hostBridge, memory } = machine.fabric.counters;
    expect([switchLocal.requests, hostBridge.requests, memory.requests]).toEqual([1, 0, 2]);
    dmaUnmapSgtable(machine.near, table, 'bidirectional', NO_ATTRS);
    expect(sgDmaIsBusAddress(table.list, 1)).toBe(false);
    expect(machine.leftovers).toEqual(before);
  });

  it('below another root port: mapped as RAM is', () => {
    const machine = new PeerMachine({ iommu });
    const before = machine.leftovers;
    const { table } = mixedList(machine);
    expect(dmaMapSgtable(machine.far, table, 'bidirectional', NO_ATTRS)).toBe(0);
    expect(sgDmaIsBusAddress(table.list, 1)).toBe(false);
    const { dmaAddress } = table.list;
    // Behind the IOMMU the three entries follow one another and are joined.
    const peer = table.mappedCount === 1 ? (dmaAddress[0] ?? -1) + 0x1000 : (dmaAddress[1] ?? -1);
    expect(table.mappedCount).toBe(iommu ? 1 : 3);
    expect(machine.write(machine.far, dmaAddr(peer + 0x1004), 0x5a)).toBe('success');
    expect(machine.bar.pageBytes(1)[4]).toBe(0x5a);
    expect(machine.fabric.counters.hostBridge.requests).toBe(1);
    dmaUnmapSgtable(machine.far, table, 'bidirectional', NO_ATTRS);
    expect(machine.leftovers).toEqual(before);
  });

  it('without a route: -EREMOTEIO, and nothing stays mapped', () => {
    const machine = new PeerMachine({ iommu, listed: false });
    const before = machine.leftovers;
    const { table } = mixedList(machine);
    expect(dmaMapSgtable(machine.far, table, 'bidirectional', NO_ATTRS)).toBe(-Errno.EREMOTEIO);
    expect(machine.leftovers).toEqual(before);
  });
});
