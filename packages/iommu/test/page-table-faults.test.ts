// What goes wrong: a table page that cannot be had at every point in turn, and the refusals with their errnos.

import { dmaAddr, PhysicalMemory, physAddr } from '@sgfree/hw-model';
import { FrameAllocator } from '@sgfree/mm';
import { describe, expect, it } from 'vitest';
import {
  iommuDomainFree,
  iommuMap,
  iommuMapNosync,
  iommuUnmap,
  mapFramesNosync,
  PageTable,
  PagingDomain,
  unmapFramesAndSync,
  VtdSecondStageFormat,
} from '../src/index.ts';
import { PageTableMachine, type TableKind, tableKinds } from './page-table-machine.ts';

const READ_WRITE = 3;
const kindCalled = (part: string): TableKind =>
  tableKinds.find(({ title }) => title.includes(part)) ?? (tableKinds[0] as TableKind);
const vtd48 = kindCalled('second stage, 48 bits');

describe.each(tableKinds)('no memory: $title', (kind) => {
  it('leaves nothing mapped, at whichever allocation it strikes', () => {
    const machine = new PageTableMachine(kind);
    const { domain, frames, table } = machine;
    // A neighbour that must survive, and a range that needs several tables on several levels.
    expect(mapFramesNosync(domain, 3, 0, 77, 0, 4096, READ_WRITE)).toBe(0);
    const first = Math.max(...kind.bases);
    const pages = 3 * 512 - 100;
    let refused = 0;
    for (let allowed = 0; ; allowed += 1) {
      const fresh = new PageTableMachine(kind);
      mapFramesNosync(fresh.domain, 3, 0, 77, 0, 4096, READ_WRITE);
      fresh.frames.failAfter = allowed;
      const errno = mapFramesNosync(fresh.domain, first + 7, 0, 0x5001, 0, pages * 4096, READ_WRITE);
      if (errno === 0) break;
      refused += 1;
      expect(errno).toBe(-12);
      expect(leavesOf(fresh)).toEqual([3]);
      expect(fresh.hardwareWalk(3)?.phys).toBe(77);
      expect(fresh.hardwareWalk(first + 7)).toBeNull();
      fresh.frames.failAfter = -1;
      expect(mapFramesNosync(fresh.domain, first + 7, 0, 0x5001, 0, pages * 4096, READ_WRITE)).toBe(0);
      expect(unmapFramesAndSync(fresh.domain, first + 7, 0, pages * 4096)).toBe(pages * 4096);
      iommuDomainFree(fresh.domain);
      expect(fresh.frames.liveFrames).toBe(0);
    }
    expect(refused).toBeGreaterThan(2);
    expect(frames.liveFrames).toBe(table.liveTables);
  });
});

function leavesOf({ table }: PageTableMachine): number[] {
  const found: number[] = [];
  table.visitLeaves((frame) => found.push(frame));
  return found;
}

describe('refusals', () => {
  const refusal = (
    machine: PageTableMachine,
    iova: readonly [number, number],
    phys: readonly [number, number],
    bytes: number,
    prot = READ_WRITE,
  ): number => {
    const errno = mapFramesNosync(machine.domain, iova[0], iova[1], phys[0], phys[1], bytes, prot);
    expect(leavesOf(machine)).toEqual([]);
    return errno;
  };

  it('come in the order of the kernel tests', () => {
    const machine = new PageTableMachine(vtd48);
    expect(refusal(machine, [2 ** 52 - 1, 1], [2 ** 40, 1], 0, 4)).toBe(-22);
    expect(refusal(machine, [2 ** 52 - 1, 1], [2 ** 40, 1], 0)).toBe(-34);
    expect(refusal(machine, [2 ** 52 - 1, 1], [1, 1], 0)).toBe(-22);
    expect(refusal(machine, [2 ** 52 - 1, 1], [1, 1], 4096)).toBe(-75);
    expect(refusal(machine, [2 ** 52 - 1, 0], [1, 0], 8192)).toBe(-75);
    expect(refusal(machine, [2 ** 52 - 1, 0], [1, 1], 4096)).toBe(-6);
    expect(refusal(machine, [2 ** 36 - 1, 0], [1, 1], 8192)).toBe(-6);
    expect(refusal(machine, [2 ** 36 - 1, 0], [1, 0], 2048)).toBe(-6);
    expect(refusal(machine, [2 ** 36 - 1, 0], [1, 0], 8192)).toBe(-34);
    expect(refusal(machine, [2 ** 36, 0], [1, 0], 4096)).toBe(-34);
  });

  it('map-odd-length-endless: a length that ends inside a page is refused, where Linux would not return', () => {
    expect(refusal(new PageTableMachine(vtd48), [16, 0], [1, 0], 4096 + 512)).toBe(-22);
  });

  it('map-odd-length-endless: as Linux does it, one call takes every table page there is and keeps them', () => {
    const memory = new PhysicalMemory();
    const window = { base: physAddr(2 ** 36), bytes: 256 * 4096 };
    memory.addRam(window.base, window.bytes);
    const frames = new FrameAllocator(memory, window);
    const table = new PageTable({
      format: vtd48.format(),
      memory,
      frames,
      vaBits: 48,
      linuxQuirks: { mapOddLengthEndless: true },
    });
    const domain = new PagingDomain({
      table,
      ops: { iotlbSync: () => undefined, flushIotlbAll: () => undefined, iotlbSyncMap: null },
    });
    expect(mapFramesNosync(domain, 16, 0, 1, 0, 4096 + 512, READ_WRITE)).toBe(-12);
    expect(frames.liveFrames).toBe(256);
    expect(table.liveLeafEntries).toBe(0);
    iommuDomainFree(domain);
    expect(frames.liveFrames).toBe(256 - 4);
  });

  it('answer -ENOMEM for a top table that cannot be had', () => {
    const { memory, frames } = new PageTableMachine(vtd48);
    frames.failAfter = 0;
    expect(PageTable.open({ format: vtd48.format(), memory, frames, vaBits: 48 })).toEqual({
      ok: false,
      errno: 12,
    });
    expect(() => new PageTable({ format: vtd48.format(), memory, frames, vaBits: 48 })).toThrow(/top table/);
    frames.failAfter = -1;
    expect(PageTable.open({ format: vtd48.format(), memory, frames, vaBits: 48 }).ok).toBe(true);
  });

  it('refuse a read-only leaf when all leaves must be writable', () => {
    const format = (): VtdSecondStageFormat => new VtdSecondStageFormat({ forceWriteable: true });
    const machine = new PageTableMachine({ ...vtd48, format });
    expect(refusal(machine, [0, 0], [1, 0], 4096, 1)).toBe(-22);
    expect(mapFramesNosync(machine.domain, 0, 0, 1, 0, 4096, 2)).toBe(0);
  });
});

describe('a failed sync after mapping', () => {
  it('unmaps everything again', () => {
    const machine = new PageTableMachine(vtd48);
    const domain = new PagingDomain({
      table: machine.table,
      ops: { iotlbSync: () => undefined, flushIotlbAll: () => undefined, iotlbSyncMap: () => -5 },
    });
    expect(iommuMap(domain, dmaAddr(0x200000), physAddr(0x1000), 0x3000, READ_WRITE)).toBe(-5);
    expect(leavesOf(machine)).toEqual([]);
    expect(domain.mapCalls).toBe(1);
    expect(domain.unmapCalls).toBe(1);
  });
});

describe('events', () => {
  it('follow the trace points: partial maps, their undoing, and unmaps of nothing', () => {
    const { domain } = new PageTableMachine(vtd48);
    domain.log.enabled = true;
    iommuMapNosync(domain, dmaAddr(0x3000), physAddr(0x9000), 0x1000, READ_WRITE);
    expect(iommuMapNosync(domain, dmaAddr(0x1000), physAddr(0x20000), 0x4000, READ_WRITE)).toBe(-98);
    expect(iommuUnmap(domain, dmaAddr(0x1000), 0x1000)).toBe(0);
    expect(domain.log.events).toEqual([
      { kind: 'iommu:map', iova: 0x3000, paddr: 0x9000, size: 0x1000 },
      { kind: 'iommu:map', iova: 0x1000, paddr: 0x20000, size: 0x2000 },
      { kind: 'iommu:unmap', iova: 0x1000, size: 0x2000, unmappedSize: 0x2000 },
      { kind: 'iommu:unmap', iova: 0x1000, size: 0x1000, unmappedSize: 0 },
    ]);
  });

  it('name an address that no DMA address can be by its page frame', () => {
    const { domain } = new PageTableMachine(kindCalled('AMD v1, 64 bits'));
    domain.log.enabled = true;
    mapFramesNosync(domain, 2 ** 45, 0, 9, 0, 4096, READ_WRITE);
    unmapFramesAndSync(domain, 2 ** 45, 8, 4096);
    expect(domain.log.events).toEqual([
      { kind: 'iommu:map', iovaFrame: 2 ** 45, iovaOffset: 0, paddr: 0x9000, size: 4096 },
      { kind: 'iommu:unmap', iovaFrame: 2 ** 45, iovaOffset: 8, size: 4096, unmappedSize: 0 },
    ]);
  });
});
