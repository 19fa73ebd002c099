// dma_map_sg behind an IOMMU against vectors that the kernel's own code produced: addresses, segments, core calls.

import { NO_ATTRS } from '@sgfree/dma-core';
import { describe, expect, it } from 'vitest';
import {
  BRIDGE_PEER,
  BUS_PEER,
  type Entry,
  entriesOf,
  type SgMachine,
  segments,
  sgMachine,
  tableOf,
  takeCalls,
  UNREACHABLE_PEER,
} from '../test/sg-machine.ts';
import { dmaMapSg, dmaMapSgtable, dmaUnmapSg, dmaUnmapSgtable } from './dma-map-sg.ts';

interface Mapped {
  readonly result: number;
  readonly out: string[];
  readonly calls: string[];
}

function map(machine: SgMachine, ...entries: readonly Entry[]): Mapped {
  const table = tableOf(...entries);
  const errno = dmaMapSgtable(machine.dev, table, 'bidirectional', NO_ATTRS);
  expect(entriesOf(table.list)).toEqual(entries);
  return {
    result: errno === 0 ? table.mappedCount : errno,
    out: segments(table.list, entries.length),
    calls: takeCalls(machine),
  };
}

describe('segments of dma_map_sg', () => {
  it('merges neighbours that end and start on a granule', () => {
    const machine = sgMachine({ maxSegmentSize: 0xffffffff });
    expect(map(machine, [0x1000, 0x200, 0xe00], [0x2000, 0, 0x1000], [0x3000, 0, 0x234])).toEqual({
      result: 1,
      out: ['ffffc200+2034', '-', '-'],
      calls: ['map ffffc000 1000000 1000', 'map ffffd000 2000000 1000', 'map ffffe000 3000000 1000'],
    });
    expect(map(machine, [0x1000, 0, 0x1000], [0x2000, 0x10, 0x20], [0x3000, 0, 0x1000])).toMatchObject({
      result: 3,
      out: ['ffff8000+1000', 'ffff9010+20', 'ffffa000+1000'],
    });
    const peers: Entry[] = [
      [0x1000, 0, 0x1000],
      [BUS_PEER, 0, 0x1000],
      [0x2000, 0, 0x1000],
      [BRIDGE_PEER, 0, 0x1000],
    ];
    expect(map(machine, ...peers)).toEqual({
      result: 3,
      out: ['ffff4000+1000', '5001000000+1000B', 'ffff5000+2000', '-'],
      calls: ['map ffff4000 1000000 1000', 'map ffff5000 2000000 1000', 'map ffff6000 2001000000 1000'],
    });
    expect(map(machine, [UNREACHABLE_PEER, 0, 0x1000], [0x5000, 0, 0x1000])).toEqual({
      result: -121,
      out: ['-', '-'],
      calls: [],
    });
    expect(map(machine, ...[0, 1, 2, 3].map((page): Entry => [0x1000 + page, 0, 0x1000]))).toEqual({
      result: 1,
      out: ['ffff0000+4000', '-', '-', '-'],
      calls: ['map ffff0000 1000000 4000'],
    });
  });

  it('sg-merge-wrap: behind an entry longer than the limit everything aligned is merged', () => {
    const machine = sgMachine({ maxSegmentSize: 0x1000 });
    const mapped = map(machine, [0x1000, 0, 0x2000], [0x2000, 0, 0x1000], [0x3000, 0, 0x1000]);
    expect(mapped).toMatchObject({ result: 1, out: ['ffffc000+4000', '-', '-'] });
  });

  it('keeps segments within the limit otherwise', () => {
    const machine = sgMachine({ maxSegmentSize: 0x2000 });
    const mapped = map(machine, [0x1000, 0, 0x1000], [0x2000, 0, 0x1000], [0x3000, 0, 0x1000]);
    expect(mapped).toMatchObject({ result: 2, out: ['ffffc000+2000', 'ffffe000+1000', '-'] });
  });

  it('sg-boundary-padding: the entry before a boundary is mapped up to it', () => {
    const machine = sgMachine({ boundary: 0x3fff });
    expect(map(machine, [0x1000, 0, 0x3000], [0x2000, 0, 0x2000], [0x3000, 0, 0x1000])).toEqual({
      result: 2,
      out: ['ffff8000+3000', 'ffffc000+3000', '-'],
      calls: ['map ffff8000 1000000 4000', 'map ffffc000 2000000 2000', 'map ffffe000 3000000 1000'],
    });
  });

  it('starts a new segment on each boundary', () => {
    const machine = sgMachine({ boundary: 0xffff });
    const padded: Entry[] = [
      [0x1000, 0, 0x9000],
      [0x2000, 0, 0x8000],
      [0x3000, 0, 0xf000],
      [0x4000, 0, 0x1000],
    ];
    expect(map(machine, ...padded)).toEqual({
      result: 3,
      out: ['fffc0000+9000', 'fffd0000+8000', 'fffe0000+10000', '-'],
      calls: [
        'map fffc0000 1000000 10000',
        'map fffd0000 2000000 10000',
        'map fffe0000 3000000 f000',
        'map fffef000 4000000 1000',
      ],
    });
    expect(map(machine, [0x1000, 0, 0x10000], [0x2000, 0, 0x10000])).toMatchObject({
      result: 2,
      out: ['fffa0000+10000', 'fffb0000+10000'],
    });
  });

  it('joins runs of memory in the page table whatever the segments are', () => {
    const machine = sgMachine({ maxSegmentSize: 0x10000 });
    expect(map(machine, [0x1000, 0x800, 0x800], [0x1001, 0, 0x1000], [0x1002, 0, 0x800])).toEqual({
      result: 1,
      out: ['ffffc800+2000', '-', '-'],
      calls: ['map ffffc000 1000000 3000'],
    });
    expect(map(machine, [0x1000, 0, 0x8000], [0x2000, 0, 0x8000], [0x3000, 0, 0x8000])).toMatchObject({
      result: 2,
      out: ['fffc0000+10000', 'fffd0000+8000', '-'],
    });
  });

  it.each<[string, number, Entry[]]>([
    [
      'an entry',
      2 ** 64,
      [
        [0x1000, 0, 0x1000],
        [0x2000, 0x10, 0xffffffff],
      ],
    ],
    [
      'the padding of an entry',
      0xffffffff,
      [
        [0x1000, 0, 0x80001000],
        [0x80000, 0, 0x80000000],
        [0x3000, 0, 0x1000],
      ],
    ],
  ])('refuses %s beyond 32 bits and restores the list', (_, boundary, entries) => {
    const machine = sgMachine({ boundary, maxSegmentSize: 0xffffffff });
    expect(map(machine, ...entries)).toEqual({
      result: -22,
      out: entries.map(() => '-'),
      calls: [],
    });
    expect(machine.liveRanges()).toBe(0);
  });

  it('needs no IOVA for a list of bus addresses', () => {
    const machine = sgMachine();
    expect(map(machine, [BUS_PEER, 0, 0x1000], [BUS_PEER + 1, 0x10, 0x20])).toEqual({
      result: 2,
      out: ['5001000000+1000B', '5001001010+20B'],
      calls: [],
    });
    expect(machine.liveRanges()).toBe(0);
  });

  it('prefers 32-bit addresses until they run out once', () => {
    const machine = sgMachine({ startPfn: 0xfffe0 });
    expect(map(machine, [0x1000, 0, 0x10000]).out).toEqual(['ffff0000+10000']);
    expect(map(machine, [0x2000, 0, 0x10000]).out).toEqual(['fffe0000+10000']);
    expect(map(machine, [0x3000, 0, 0x1000]).out).toEqual(['fffffffff000+1000']);
    expect(map(machine, [0x4000, 0, 0x1000]).out).toEqual(['ffffffffe000+1000']);
  });
});

describe('unmapping', () => {
  it('undoes the whole list at once and leaves the bus marks behind nowhere', () => {
    const machine = sgMachine();
    const table = tableOf(
      [BUS_PEER, 0, 0x1000],
      [0x1000, 0x10, 0x20],
      [BUS_PEER, 0, 0x1000],
      [0x2000, 0, 0x1000],
    );
    expect(dmaMapSgtable(machine.dev, table, 'to-device', NO_ATTRS)).toBe(0);
    expect(segments(table.list, 4)).toEqual([
      '5001000000+1000B',
      'ffffe010+20',
      '5001000000+1000B',
      'fffff000+1000',
    ]);
    takeCalls(machine);
    dmaUnmapSgtable(machine.dev, table, 'to-device', NO_ATTRS);
    expect(takeCalls(machine)).toEqual(['unmap ffffe000 2000 2000']);
    expect(machine.flushes).toEqual(['ffffe-fffff']);
    expect([...table.list.dmaFlags.subarray(0, 4)]).toEqual([0, 0, 0, 0]);
    expect(machine.liveRanges()).toBe(0);
    expect(machine.domain.table.liveLeafEntries).toBe(0);
  });

  it('wants the entry count, not the segment count', () => {
    const machine = sgMachine({ maxSegmentSize: 0xffffffff });
    const { list } = tableOf([0x1000, 0, 0x1000], [0x3000, 0, 0x1000], [0x2000, 0, 0x1000]);
    expect(dmaMapSg(machine.dev, list, 3, 'to-device')).toBe(1);
    dmaUnmapSg(machine.dev, list, 3, 'to-device');
    expect(machine.domain.table.liveLeafEntries).toBe(0);
  });
});
