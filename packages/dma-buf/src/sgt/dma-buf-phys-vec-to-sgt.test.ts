// Tables of physical ranges: entries by route, real writes through them, everything given back, whatever fails.

import { dmaBitMask, dmaSetMask } from '@sgfree/dma-core';
import { type Scatterlist, SgHeap, type SgTable } from '@sgfree/dma-sg';
import { addOffset, dmaAddr, type PhysAddr, physAddr } from '@sgfree/hw-model';
import { Errno, type Outcome } from '@sgfree/mm';
import { pciResourceStart } from '@sgfree/p2p';
import { describe, expect, it } from 'vitest';
import { PeerMachine } from '../../test/peer-machine.ts';
import { DmaBufPlatform } from '../dma-buf-platform.ts';
import type { PhysVec } from '../phys-vec.ts';
import { dmaResvInit, dmaResvTrylock } from '../resv/dma-resv.ts';
import { dmaBufFreeSgt, dmaBufPhysVecToSgt } from './dma-buf-phys-vec-to-sgt.ts';
import type { SgtAttachment } from './dma-buf-sgt.ts';

const DIR = 'bidirectional';
const barStart = ({ pdev }: PeerMachine): PhysAddr => pciResourceStart(pdev, 0) as PhysAddr;

/** Ranges of the BAR by offset and length. */
const rangesOf = (machine: PeerMachine, ...ranges: (readonly [number, number])[]): PhysVec[] =>
  ranges.map(([offset, len]) => ({ paddr: addOffset(barStart(machine), offset), len }));

function made(machine: PeerMachine, attach: SgtAttachment, ranges: readonly PhysVec[]): Outcome<SgTable> {
  const size = ranges.reduce((sum, { len }) => sum + len, 0);
  return dmaBufPhysVecToSgt(attach, machine.provider, ranges, size, DIR);
}

function tableOf(outcome: Outcome<SgTable>): SgTable {
  if (!outcome.ok) throw new RangeError(`errno ${outcome.errno}`);
  return outcome.value;
}

const segments = ({ dmaAddress, dmaLength }: Scatterlist, count: number): [number, number][] =>
  Array.from({ length: count }, (_, sg) => [dmaAddress[sg] ?? -1, dmaLength[sg] ?? -1]);

describe('inside a switch', () => {
  it('ranges are bus addresses, in order; nothing is mapped, and nothing has a page', () => {
    const machine = new PeerMachine({ iommu: true });
    const before = machine.leftovers;
    const table = tableOf(
      made(machine, { dev: machine.near }, rangesOf(machine, [0x3000, 0x1000], [0, 0x2000])),
    );
    const start = barStart(machine);
    expect(segments(table.list, table.mappedCount)).toEqual([
      [addOffset(start, 0x3000), 0x1000],
      [start, 0x2000],
    ]);
    expect([table.segmentCount, table.mappedCount]).toEqual([0, 2]);
    expect([...table.list.pageFrame.subarray(0, 2)]).toEqual([-1, -1]);
    expect(machine.leftovers).toEqual(before);
    expect(machine.write(machine.near, dmaAddr(table.list.dmaAddress[0] ?? 0), 0x5a)).toBe('success');
    expect(machine.bar.pageBytes(3)[0]).toBe(0x5a);
    expect(machine.fabric.counters.switchLocal.requests).toBe(1);
    dmaBufFreeSgt({ dev: machine.near }, table, DIR);
    expect([table.mappedCount, table.list.entryCount]).toEqual([0, 0]);
  });

  it('8 GiB are three entries, since their lengths have 32 bits', () => {
    const machine = new PeerMachine({ iommu: false });
    const range = { paddr: physAddr(2 ** 40), len: 2 ** 33 };
    const table = tableOf(made(machine, { dev: machine.near }, [range]));
    expect(segments(table.list, table.mappedCount).map(([, bytes]) => bytes)).toEqual([
      0xfffff000, 0xfffff000, 0x2000,
    ]);
  });
});

describe('through the host bridge', () => {
  it('ranges become one IOVA range, in order', () => {
    const machine = new PeerMachine({ iommu: true });
    const before = machine.leftovers;
    const attach = { dev: machine.far };
    const table = tableOf(made(machine, attach, rangesOf(machine, [0x3000, 0x1000], [0, 0x2000])));
    expect(table.mappedCount).toBe(1);
    const [address, bytes] = segments(table.list, 1)[0] as [number, number];
    expect([bytes, machine.leftovers[0] - before[0]]).toEqual([0x3000, 3]);
    expect(machine.write(machine.far, dmaAddr(address + 0x2004), 0x5a)).toBe('success');
    expect(machine.bar.pageBytes(1)[4]).toBe(0x5a);
    expect(machine.fabric.counters.hostBridge.requests).toBe(1);
    dmaBufFreeSgt(attach, table, DIR);
    expect(machine.leftovers).toEqual(before);
    expect(machine.write(machine.far, dmaAddr(address), 1)).toBe('unsupported-request');
  });

  it('several ranges meet at offset 0 as in Linux when asked for (phys-vec-offset-zero)', () => {
    const machine = new PeerMachine({ iommu: true });
    const before = machine.leftovers;
    const attach = { dev: machine.far, linuxQuirks: { physVecOffsetZero: true } };
    const outcome = made(machine, attach, rangesOf(machine, [0x3000, 0x1000], [0, 0x2000]));
    expect(outcome).toEqual({ ok: false, errno: Errno.EADDRINUSE });
    expect(machine.leftovers).toEqual(before);
    const table = tableOf(made(machine, attach, rangesOf(machine, [0x3000, 0x1000])));
    dmaBufFreeSgt(attach, table, DIR);
    expect(machine.leftovers).toEqual(before);
  });

  it('without an IOMMU each range is mapped for itself', () => {
    const machine = new PeerMachine({ iommu: false });
    const attach = { dev: machine.far };
    const table = tableOf(made(machine, attach, rangesOf(machine, [0x3000, 0x1000], [0, 0x2000])));
    const start = barStart(machine);
    expect(segments(table.list, table.mappedCount)).toEqual([
      [addOffset(start, 0x3000), 0x1000],
      [start, 0x2000],
    ]);
    expect(machine.write(machine.far, dmaAddr(start), 0x77)).toBe('success');
    expect(machine.bar.pageBytes(0)[0]).toBe(0x77);
    dmaBufFreeSgt(attach, table, DIR);
  });
});

describe('a size that is not the sum of the ranges', () => {
  it('is a violation, and only what was linked is unlinked', () => {
    const machine = new PeerMachine({ iommu: true });
    const before = machine.leftovers;
    const attach = { dev: machine.far };
    const ranges = rangesOf(machine, [0x3000, 0x1000]);
    machine.log.clear();
    const table = tableOf(dmaBufPhysVecToSgt(attach, machine.provider, ranges, 0x2000, DIR));
    expect(segments(table.list, 1)[0]?.[1]).toBe(0x1000);
    dmaBufFreeSgt(attach, table, DIR);
    const violations = machine.log.events.filter(({ kind }) => kind === 'violation');
    expect(violations.map((event) => event['rule'])).toEqual(['phys-vec-size']);
    expect(machine.leftovers).toEqual(before);
  });
});

describe('the records and the lock', () => {
  it('of a table need memory, one inside a switch, two through the host bridge', () => {
    for (const [where, records] of [
      ['near', 1],
      ['far', 2],
    ] as const) {
      for (let failing = 1; failing <= records + 1; failing += 1) {
        const machine = new PeerMachine({ iommu: true });
        const before = machine.leftovers;
        let asked = 0;
        const allocate = (): boolean => {
          asked += 1;
          return asked !== failing;
        };
        const attach = { dev: machine[where], allocate };
        const outcome = made(machine, attach, rangesOf(machine, [0, 0x1000]));
        if (outcome.ok) dmaBufFreeSgt(attach, outcome.value, DIR);
        expect(outcome.ok ? 0 : outcome.errno).toBe(failing > records ? 0 : Errno.ENOMEM);
        expect(machine.leftovers).toEqual(before);
      }
    }
  });

  it('of the reservation is asked for on both ways when there is one', () => {
    const machine = new PeerMachine({ iommu: true });
    const platform = new DmaBufPlatform();
    platform.log.enabled = true;
    const attach = { dev: machine.near, resv: dmaResvInit(platform) };
    const both = (): void => {
      const table = tableOf(made(machine, attach, rangesOf(machine, [0, 0x1000])));
      dmaBufFreeSgt(attach, table, DIR);
    };
    both();
    const rules = (): unknown[] => platform.log.events.map((event) => event['rule']);
    expect(rules()).toEqual(['phys-vec-lock-needed', 'phys-vec-lock-needed']);
    expect(dmaResvTrylock(attach.resv)).toBe(true);
    both();
    expect(rules().length).toBe(2);
  });
});

describe('failures', () => {
  it('no route: -EINVAL; no bytes: -EINVAL', () => {
    const machine = new PeerMachine({ iommu: true, listed: false });
    const refused = { ok: false, errno: Errno.EINVAL };
    expect(made(machine, { dev: machine.far }, rangesOf(machine, [0, 0x1000]))).toEqual(refused);
    expect(made(machine, { dev: machine.near }, [])).toEqual(refused);
  });

  it('leave nothing behind, whichever allocation fails', () => {
    const machine = new PeerMachine({ iommu: true });
    const ranges = rangesOf(machine, [0x3000, 0x1000], [0x400000, 0x300000], [0, 0x1000]);
    const before = machine.leftovers;
    for (const starve of ['table', 'frames'] as const) {
      for (let allowed = 0; ; allowed += 1) {
        const sgArrays = new SgHeap();
        if (starve === 'table') sgArrays.failAfter = allowed;
        else machine.frames.failAfter = allowed;
        const outcome = made(machine, { dev: machine.far, sgArrays }, ranges);
        machine.frames.failAfter = -1;
        if (outcome.ok) {
          dmaBufFreeSgt({ dev: machine.far, sgArrays }, outcome.value, DIR);
          expect(allowed).toBeGreaterThan(0);
        } else expect(outcome.errno).toBe(Errno.ENOMEM);
        expect([sgArrays.liveArrays, ...machine.leftovers]).toEqual([0, ...before]);
        if (outcome.ok) break;
      }
    }
  });

  it('of a mapping undo those before it', () => {
    const machine = new PeerMachine({ iommu: false });
    dmaSetMask(machine.far, dmaBitMask(32));
    const ranges = [...rangesOf(machine, [0, 0x1000]), { paddr: physAddr(2 ** 36), len: 0x1000 }];
    machine.log.clear();
    expect(made(machine, { dev: machine.far }, ranges)).toEqual({ ok: false, errno: Errno.ENOMEM });
    const unmapped = () => machine.log.events.filter(({ kind }) => kind === 'dma:dma_unmap_phys').length;
    expect(unmapped()).toBe(1);
    const leaky = { dev: machine.far, linuxQuirks: { physVecLeaks: true } };
    expect(made(machine, leaky, ranges).ok).toBe(false);
    expect(unmapped()).toBe(3);
    // The first range cannot be mapped: Linux leaves the whole table alone.
    expect(made(machine, leaky, [...ranges].reverse()).ok).toBe(false);
    expect(unmapped()).toBe(3);
  });

  it('lose the IOVA range and the entries as in Linux when asked for (phys-vec-leaks)', () => {
    const machine = new PeerMachine({ iommu: true });
    const [, ranges] = machine.leftovers;
    const starved = new SgHeap();
    starved.failAfter = 0;
    const attach = { dev: machine.far, linuxQuirks: { physVecLeaks: true } };
    const one = rangesOf(machine, [0, 0x1000]);
    expect(made(machine, { ...attach, sgArrays: starved }, one).ok).toBe(false);
    machine.frames.failAfter = 0;
    expect(made(machine, attach, one).ok).toBe(false);
    machine.frames.failAfter = -1;
    expect(machine.leftovers).toEqual([0, ranges + 2]);
    const sgArrays = new SgHeap();
    dmaBufFreeSgt({ ...attach, sgArrays }, tableOf(made(machine, { ...attach, sgArrays }, one)), DIR);
    expect([sgArrays.liveArrays, ...machine.leftovers]).toEqual([1, 0, ranges + 2]);
  });
});
