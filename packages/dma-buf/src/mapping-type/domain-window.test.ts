// Domain windows: what is shown, what is refused, and that an importer holds no physical address.
import { frameOf, PhysicalMemory, physAddr } from '@sgfree/hw-model';
import {
  IOMMU_CACHE,
  IOMMU_MMIO,
  IOMMU_READ,
  IOMMU_WRITE,
  PageTable,
  PagingDomain,
  VtdSecondStageFormat,
} from '@sgfree/iommu';
import { Errno, FrameAllocator, failure, success } from '@sgfree/mm';
import { describe, expect, it } from 'vitest';
import { goodValue, MappingRig } from '../../test/mapping-rig.ts';
import type { PhysVec } from '../phys-vec.ts';
import { convertedExporterMatch } from './domain-window-converter.ts';
import { dmaBufDomainReady, dmaBufMapDomain, dmaBufUnmapDomain } from './domain-window-import.ts';
import { type DmaBufDomainWindow, domainImporterMatch } from './domain-window-type.ts';
import { dmaBufMappingAttach } from './mapping-attach.ts';
import { rangeListExporterMatch, rangeListImporterMatch } from './range-list-type.ts';

const P = 4096;
const MIB = 2 ** 20;
const ops = { allowPeer2peer: true };

/** Notes the protection of each mapping. */
class NotingTable extends PageTable {
  readonly prots: number[] = [];

  override mapRange(...args: Parameters<PageTable['mapRange']>): number {
    this.prots.push(args[5]);
    return super.mapRange(...args);
  }
}

/** A domain of its own, with tables in a memory of their own; `syncMap` is what its hardware answers to new entries. */
function newDomain(syncMap: (() => number) | null = null): PagingDomain {
  const memory = new PhysicalMemory();
  const range = { base: physAddr(MIB), bytes: MIB };
  memory.addRam(range.base, range.bytes);
  const format = new VtdSecondStageFormat({ flushRange: true });
  const table = new NotingTable({ format, memory, frames: new FrameAllocator(memory, range), vaBits: 48 });
  const idle = { iotlbSync(): void {}, flushIotlbAll(): void {}, iotlbSyncMap: syncMap };
  return new PagingDomain({ table, ops: idle, type: 'unmanaged' });
}

/** A buffer of six pages of a BAR: pages 0 and 1, 4 to 6, and 9. */
function exported() {
  const rig = new MappingRig({ iommu: true }, [
    [0, 2 * P],
    [4 * P, 3 * P],
    [9 * P, P],
  ]);
  const state: { lists: number; revoked: boolean; phys: readonly PhysVec[] } = {
    lists: 0,
    revoked: false,
    phys: rig.physVec,
  };
  const offer = convertedExporterMatch({
    *mapPhys() {
      yield { at: 'exporter:map' };
      if (state.revoked) return failure(Errno.ENODEV);
      state.lists += 1;
      return success({ phys: state.phys });
    },
    *unmapPhys() {
      yield { at: 'exporter:unmap' };
      state.lists -= 1;
    },
  });
  const dmabuf = rig.export([offer, rangeListExporterMatch(rig.ranges, null)]);
  const attach = goodValue(rig.run(dmaBufMappingAttach(dmabuf, [domainImporterMatch], ops, null)));
  const first = frameOf(rig.physVec[0]?.paddr ?? physAddr(0));
  return { rig, dmabuf, state, attach, first, domain: newDomain() };
}

const windowOf = (
  domain: PagingDomain,
  offset: number,
  length: number,
  more: Partial<DmaBufDomainWindow> = {},
) => ({
  ...{ domain, unitsPerPage: 1, iovaPage: 0x100, iovaByte: 0, offset, length },
  ...{ prot: IOMMU_READ | IOMMU_WRITE, smallPages: false, ...more },
});

describe('a window', () => {
  it.each([
    { offset: 0, length: 6 * P, pages: [0, 1, 4, 5, 6, 9] },
    { offset: P, length: 2 * P, pages: [1, 4] },
    { offset: 3 * P, length: P, pages: [5] },
    { offset: 3 * P, length: 3 * P, pages: [5, 6, 9] },
  ])('of $length bytes at $offset is shown and hidden', ({ offset, length, pages }) => {
    for (const smallPages of [false, true]) {
      const { rig, dmabuf, state, attach, first, domain } = exported();
      rig.locked(dmabuf, function* () {
        const mapping = goodValue(
          yield* dmaBufMapDomain(attach, windowOf(domain, offset, length, { smallPages })),
        );
        const shown = pages.map((_, at) => domain.table.physOf(0x100 + at) - first);
        expect([shown, domain.table.physOf(0x100 + pages.length), state.lists]).toEqual([pages, -1, 1]);
        expect(domain.mapCalls).toBe(smallPages ? pages.length : runsOf(pages));
        // @ts-expect-error the holder of a window cannot ask where it leads
        expect(mapping.list).toBe(undefined);
        expect(Object.keys(mapping)).toEqual(['window']);
        yield* dmaBufUnmapDomain(attach, mapping);
      });
      expect([domain.table.liveLeafEntries, state.lists, rig.rules()]).toEqual([0, 0, []]);
    }
  });

  it.each([
    { key: 'is empty', offset: 0, length: 0 },
    { key: 'begins before the buffer', offset: -P, length: P },
    { key: 'passes the end', offset: 5 * P, length: 2 * P },
    // The page table's own answer.
    { key: 'is no multiple of a page', offset: 0, length: P / 2, errno: Errno.ENXIO },
  ])('that $key is refused', ({ offset, length, errno = Errno.EINVAL }) => {
    const { rig, dmabuf, state, attach, domain } = exported();
    const mapped = rig.locked(dmabuf, () => dmaBufMapDomain(attach, windowOf(domain, offset, length)));
    expect([mapped, domain.table.liveLeafEntries, state.lists]).toEqual([failure(errno), 0, 0]);
  });

  it('that meets an entry shows nothing, and its list goes back', () => {
    const { rig, dmabuf, state, attach, domain } = exported();
    rig.locked(dmabuf, function* () {
      const inTheWay = goodValue(yield* dmaBufMapDomain(attach, windowOf(domain, 0, P, { iovaPage: 0x103 })));
      const mapped = yield* dmaBufMapDomain(attach, windowOf(domain, 0, 6 * P));
      expect([mapped.ok, domain.table.liveLeafEntries, state.lists]).toEqual([false, 1, 1]);
      yield* dmaBufUnmapDomain(attach, inTheWay);
    });
    expect([domain.table.liveLeafEntries, state.lists, rig.rules()]).toEqual([0, 0, []]);
  });
});

it.each([0, 1, 2])('whose run %i the hardware does not take shows nothing', (failing) => {
  const { rig, dmabuf, state, attach } = exported();
  let runs = 0;
  const domain = newDomain(() => {
    runs += 1;
    return runs === failing + 1 ? -Errno.EIO : 0;
  });
  const mapped = rig.locked(dmabuf, () => dmaBufMapDomain(attach, windowOf(domain, 0, 6 * P)));
  expect([mapped, runs, domain.table.liveLeafEntries]).toEqual([failure(Errno.EIO), failing + 1, 0]);
  expect([state.lists, rig.rules()]).toEqual([0, []]);
});

it('is device memory and not cached, whatever the importer asks', () => {
  for (const [asked, given] of [
    [IOMMU_READ | IOMMU_WRITE | IOMMU_CACHE, IOMMU_READ | IOMMU_WRITE | IOMMU_MMIO],
    [IOMMU_READ, IOMMU_READ | IOMMU_MMIO],
  ] as const) {
    const { rig, dmabuf, attach, domain } = exported();
    const shown = rig.locked(dmabuf, () =>
      dmaBufMapDomain(attach, windowOf(domain, 0, 6 * P, { prot: asked })),
    );
    expect(shown.ok).toBe(true);
    expect((domain.table as NotingTable).prots).toEqual([given, given, given]);
  }
});

it.each([
  { offset: 0, length: P, units: [0, 1] },
  { offset: P / 2, length: P, units: [1, 2] },
  { offset: P / 2, length: 2 * P, units: [1, 2, 3, 8] },
  { offset: 2 * P + P / 2, length: 3 * P, units: [9, 10, 11, 12, 13, 18] },
])(
  'in a domain of half pages, $length bytes at $offset are where they belong',
  ({ offset, length, units }) => {
    for (const smallPages of [false, true]) {
      const { rig, dmabuf, state, attach, first, domain } = exported();
      const iovaByte = offset % P;
      rig.locked(dmabuf, function* () {
        const place = { unitsPerPage: 2, iovaByte, smallPages };
        const mapping = goodValue(yield* dmaBufMapDomain(attach, windowOf(domain, offset, length, place)));
        const at = 0x200 + (iovaByte === 0 ? 0 : 1);
        expect(units.map((_, unit) => domain.table.physOf(at + unit) - 2 * first)).toEqual(units);
        expect([domain.table.physOf(at - 1), domain.table.physOf(at + units.length)]).toEqual([-1, -1]);
        yield* dmaBufUnmapDomain(attach, mapping);
      });
      expect([domain.table.liveLeafEntries, state.lists, rig.rules()]).toEqual([0, 0, []]);
    }
  },
);

describe('an exporter', () => {
  it('says when nothing can be shown, and hides what is shown all the same', () => {
    const { rig, dmabuf, state, attach, domain } = exported();
    rig.locked(dmabuf, function* () {
      expect(yield* dmaBufDomainReady(attach)).toBe(0);
      const mapping = goodValue(yield* dmaBufMapDomain(attach, windowOf(domain, 0, P)));
      state.revoked = true;
      expect(yield* dmaBufDomainReady(attach)).toBe(-Errno.ENODEV);
      expect(yield* dmaBufMapDomain(attach, windowOf(domain, P, P))).toEqual(failure(Errno.ENODEV));
      yield* dmaBufUnmapDomain(attach, mapping);
    });
    expect([domain.table.liveLeafEntries, state.lists, rig.rules()]).toEqual([0, 0, []]);
  });

  it('with a list that is none is refused, and the list goes back', () => {
    const { rig, dmabuf, state, attach, domain } = exported();
    state.phys = state.phys.slice(1);
    rig.locked(dmabuf, function* () {
      expect(yield* dmaBufDomainReady(attach)).toBe(-Errno.EINVAL);
      expect(yield* dmaBufMapDomain(attach, windowOf(domain, 0, P))).toEqual(failure(Errno.EINVAL));
    });
    expect([state.lists, new Set(rig.rules())]).toEqual([0, new Set(['dma-buf-phys-list'])]);
  });
});

it('an attachment that agreed on something else has no windows, and the lock is needed', () => {
  const { rig, dmabuf, attach, domain } = exported();
  const offers = [rangeListImporterMatch(rig.machine.near, true)];
  const other = goodValue(rig.run(dmaBufMappingAttach(dmabuf, offers, ops, null)));
  const mapped = rig.locked(dmabuf, () => dmaBufMapDomain(other, windowOf(domain, 0, P)));
  expect([mapped, rig.rules()]).toEqual([failure(Errno.EINVAL), ['dma-buf-no-domain-window']]);
  expect(rig.run(dmaBufDomainReady(attach))).toBe(0);
  expect(rig.rules()).toContain('dma-buf-lock-needed');
});

/** Stretches of neighbouring pages. */
const runsOf = (pages: readonly number[]): number =>
  pages.filter((page, at) => at === 0 || page !== (pages[at - 1] ?? 0) + 1).length;
