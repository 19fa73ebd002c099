// Lists of an untrusted device over the real bounce pool: bytes entry by entry, and -EIO with every slot back when the
// pool is too small for the list or a single entry too long for it.

import { NO_ATTRS, SwiotlbPool } from '@sgfree/dma-core';
import { dmaAddr, physAddr } from '@sgfree/hw-model';
import { iommuIovaToPhys } from '@sgfree/iommu';
import { Errno } from '@sgfree/mm';
import { expect, it } from 'vitest';
import { type Entry, sgMachine, tableOf } from '../test/sg-machine.ts';
import { dmaMapSgtable, dmaUnmapSgtable } from './dma-map-sg.ts';

const POOL = 0x1000_0000;

function bouncing(slots: number) {
  const pool = new SwiotlbPool({ start: physAddr(POOL), slots });
  const machine = sgMachine({ device: { untrusted: true }, swiotlb: { active: true, pool } });
  return { ...machine, pool };
}

it('each entry goes through slots of its own and comes back', () => {
  const { dev, domain, memory, pool } = bouncing(256);
  const entries: Entry[] = [
    [0x1000, 0x200, 0x100],
    [0x2000, 0, 0x1000],
    [0x3000, 0x800, 0x2345],
  ];
  const table = tableOf(...entries);
  const starts = entries.map(([frame, offset]) => physAddr(frame * 4096 + offset));
  for (const [sg, start] of starts.entries()) memory.write(start, Uint8Array.of(sg + 1));
  expect(dmaMapSgtable(dev, table, 'bidirectional', NO_ATTRS)).toBe(0);
  const behind = starts.map((_, sg) =>
    physAddr(iommuIovaToPhys(domain, dmaAddr(table.list.dmaAddress[sg] as number))),
  );
  expect(behind).toEqual([POOL, 0x200_0000, POOL + 0x1000]);
  const first = new Uint8Array(1);
  for (const [sg, at] of behind.entries()) {
    memory.read(at, first);
    expect([...first]).toEqual([sg + 1]);
    memory.write(at, Uint8Array.of(sg + 9));
  }
  dmaUnmapSgtable(dev, table, 'bidirectional', NO_ATTRS);
  for (const [sg, start] of starts.entries()) {
    memory.read(start, first);
    expect([...first]).toEqual([sg + 9]);
  }
  expect(pool.usedSlots).toBe(0);
});

it.each<[string, readonly Entry[]]>([
  ['a pool too small', Array.from({ length: 65 }, (_, page): Entry => [0x1000 + page * 2, 1, 0x10])],
  [
    'an entry above 256 KiB',
    [
      [0x1000, 1, 0x10],
      [0x2000, 1, 0x40000],
    ],
  ],
])('%s: -EIO, with nothing copied back and no slot taken', (_name, entries) => {
  const { dev, domain, memory, pool, liveRanges } = bouncing(128);
  const table = tableOf(...entries);
  expect(dmaMapSgtable(dev, table, 'bidirectional', NO_ATTRS)).toBe(-Errno.EIO);
  const first = new Uint8Array(1);
  memory.read(physAddr(0x100_0001), first);
  expect([...first]).toEqual([0]);
  expect([pool.usedSlots, liveRanges(), domain.table.liveLeafEntries]).toEqual([0, 0, 0]);
});
