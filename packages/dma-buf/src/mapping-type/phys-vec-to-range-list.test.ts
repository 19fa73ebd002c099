// Range lists: addresses by route with real writes through them, the same addresses as a table has, and nothing left, whatever
// fails.
import { fc, test } from '@fast-check/vitest';
import { dmaBitMask, dmaSetMask } from '@sgfree/dma-core';
import { dmaAddr, offsetWithin, PAGE_SIZE, physAddr } from '@sgfree/hw-model';
import { Errno } from '@sgfree/mm';
import { describe, expect, it } from 'vitest';
import { errnoOf, goodValue, MappingRig } from '../../test/mapping-rig.ts';
import type { DmaBufAttachment } from '../buffer/dma-buf-attachment.ts';
import { dmaBufFreeSgt, dmaBufPhysVecToSgt } from '../sgt/dma-buf-phys-vec-to-sgt.ts';
import { sgtRanges } from '../sgt/sgt-ranges.ts';
import type { DmaListRange, DmaRangeList } from './dma-range-list.ts';
import { dmaBufMappingAttach } from './mapping-attach.ts';
import { dmaBufFreeRangeList, dmaBufPhysVecToRangeList } from './phys-vec-to-range-list.ts';
import {
  dmaBufMapRangeList,
  dmaBufUnmapRangeList,
  rangeListExporterMatch,
  rangeListImporterMatch,
} from './range-list-type.ts';

const DIR = 'bidirectional';
const ops = { allowPeer2peer: true };
type Where = 'near' | 'far';

function attached(rig: MappingRig, where: Where): DmaBufAttachment<DmaRangeList> {
  const dmabuf = rig.export([rangeListExporterMatch(rig.ranges, rig.machine.pdev)]);
  const offers = [rangeListImporterMatch(rig.machine[where], true)];
  return goodValue(rig.run(dmaBufMappingAttach(dmabuf, offers, ops, null))) as DmaBufAttachment<DmaRangeList>;
}

const made = (rig: MappingRig, attach: DmaBufAttachment<DmaRangeList>) =>
  dmaBufPhysVecToRangeList(attach, rig.machine.provider, rig.physVec, rig.size, DIR);

/** Byte `offset` of a list is written by the device and read in the BAR at `barOffset`. */
function reaches(rig: MappingRig, where: Where, list: DmaRangeList, offset: number, barOffset: number): void {
  const { machine } = rig;
  const value = (offset * 7 + 13) % 251;
  expect(machine.write(machine[where], list.find(offset)?.address ?? dmaAddr(0), value)).toBe('success');
  const page = machine.bar.pageBytes(Math.floor(barOffset / PAGE_SIZE));
  expect(page[offsetWithin(barOffset, PAGE_SIZE)]).toBe(value);
}

describe.each([
  { where: 'near', iommu: true, route: 'bus-address', count: 3, leaves: 0 },
  { where: 'near', iommu: false, route: 'bus-address', count: 3, leaves: 0 },
  { where: 'far', iommu: true, route: 'iova', count: 1, leaves: 6 },
  { where: 'far', iommu: false, route: 'mapped', count: 3, leaves: 0 },
] as const)('$where, IOMMU $iommu: $route', ({ where, iommu, route, count, leaves }) => {
  const parts = [
    [0x3000, 0x1000],
    [0x100000, 0x3000],
    [0, 0x2000],
  ] as const;

  it('every page of several ranges is reached where it lies', () => {
    const rig = new MappingRig({ iommu }, parts);
    const before = rig.machine.leftovers;
    const attach = attached(rig, where);
    const list = goodValue(made(rig, attach));
    expect([list.route, list.count]).toEqual([route, count]);
    expect([...list.ranges()].reduce((sum, { bytes }) => sum + bytes, 0)).toBe(rig.size);
    expect(rig.machine.leftovers[0] as number).toBe((before[0] as number) + leaves);
    let start = 0;
    for (const [offset, len] of parts) {
      for (let at = 0; at < len; at += PAGE_SIZE) reaches(rig, where, list, start + at + 5, offset + at + 5);
      start += len;
    }
    expect(list.find(rig.size)).toBe(null);
    const first = list.at(0).address;
    dmaBufFreeRangeList(attach, list, DIR);
    expect(rig.machine.leftovers).toEqual(before);
    if (route === 'iova') {
      expect(rig.machine.write(rig.machine[where], first, 1)).toBe('unsupported-request');
    }
  });

  it('is its attachment’s own, once, and only while it is mapped', () => {
    const rig = new MappingRig({ iommu });
    const [mine, other] = [attached(rig, where), attached(rig, where)];
    const list = goodValue(made(rig, mine));
    expect(() => list.at(1)).toThrow('range-list-index');
    expect(() => dmaBufFreeRangeList(other, list, DIR)).toThrow('range-list-foreign');
    dmaBufFreeRangeList(mine, list, DIR);
    expect(() => dmaBufFreeRangeList(mine, list, DIR)).toThrow('range-list-twice');
    expect(list.live).toBe(false);
    expect(() => [...list.ranges()]).toThrow('range-list-after-unmap');
  });
});

/** Whole pages of the BAR, none of them twice. */
const layouts = fc
  .uniqueArray(fc.nat({ max: 63 }), { minLength: 1, maxLength: 12 })
  .map((pages) => pages.map((page) => [page * PAGE_SIZE, PAGE_SIZE] as const));

test.prop([layouts, fc.constantFrom<Where>('near', 'far'), fc.boolean()], { numRuns: 60 })(
  'covers the bytes that a table covers, at the same kind of address',
  (parts, where, iommu) => {
    const rig = new MappingRig({ iommu }, parts);
    const before = rig.machine.leftovers;
    const attach = attached(rig, where);
    const list = goodValue(made(rig, attach));
    const { provider } = rig.machine;
    const table = goodValue(dmaBufPhysVecToSgt({ dev: attach.dev }, provider, rig.physVec, rig.size, DIR));
    const shape = (ranges: Iterable<DmaListRange>) =>
      [...ranges].map(({ address, bytes }) => (list.route === 'iova' ? bytes : [address, bytes]));
    expect(shape(list.ranges())).toEqual(shape(sgtRanges(table)));
    let start = 0;
    for (const [offset] of parts) {
      reaches(rig, where, list, start + 1, offset + 1);
      start += PAGE_SIZE;
    }
    dmaBufFreeSgt({ dev: attach.dev }, table, DIR);
    dmaBufFreeRangeList(attach, list, DIR);
    expect(rig.machine.leftovers).toEqual(before);
  },
);

it('ordinary memory needs no provider and is mapped as memory', () => {
  const rig = new MappingRig({ iommu: true });
  const before = rig.machine.leftovers;
  const attach = attached(rig, 'far');
  const pages = [0x40000, 0x90000].map((at) => ({ paddr: physAddr(at), len: PAGE_SIZE }));
  const list = goodValue(dmaBufPhysVecToRangeList(attach, null, pages, 2 * PAGE_SIZE, DIR));
  expect([list.route, list.count, list.attrs]).toEqual(['iova', 1, {}]);
  const at = list.find(PAGE_SIZE + 4)?.address ?? dmaAddr(0);
  expect(rig.machine.write(rig.machine.far, at, 0x5a)).toBe('success');
  expect(rig.machine.memory.frameBytes(0x90)[4]).toBe(0x5a);
  dmaBufFreeRangeList(attach, list, DIR);
  expect(rig.machine.leftovers).toEqual(before);
});

describe('failures', () => {
  it('no way, no bytes, sizes that do not add up: -EINVAL', () => {
    const rig = new MappingRig({ iommu: true, listed: false });
    const attach = attached(rig, 'near');
    const { provider } = rig.machine;
    const tried = (ranges: typeof rig.physVec, size: number) =>
      errnoOf(dmaBufPhysVecToRangeList(attach, provider, ranges, size, DIR));
    expect(tried([], 0)).toBe(Errno.EINVAL);
    expect(rig.rules()).toEqual([]);
    expect(tried(rig.physVec, 0x2000)).toBe(Errno.EINVAL);
    expect(rig.rules()).toEqual(['phys-vec-size']);
    const far = { dev: rig.machine.far, dmabuf: attach.dmabuf } as DmaBufAttachment<DmaRangeList>;
    expect(errnoOf(made(rig, far))).toBe(Errno.EINVAL);
  });

  it.each(['list', 'frames'] as const)(
    'keep nothing of attach and map, whichever allocation of %s fails',
    (starve) => {
      const rig = new MappingRig({ iommu: true }, [
        [0x3000, 0x1000],
        [0x400000, 0x300000],
        [0, 0x1000],
      ]);
      const before = rig.machine.leftovers;
      const errnos = new Set<number>();
      for (let allowed = 0; ; allowed += 1) {
        const dmabuf = rig.export([rangeListExporterMatch(rig.ranges, rig.machine.pdev)]);
        const offers = [rangeListImporterMatch(rig.machine.far, true)];
        if (starve === 'list') rig.failAfter = allowed;
        else rig.machine.frames.failAfter = allowed;
        const attach = rig.run(dmaBufMappingAttach(dmabuf, offers, ops, null));
        let errno = errnoOf(attach);
        if (attach.ok) {
          errno = rig.locked(dmabuf, function* () {
            const own = attach.value as DmaBufAttachment<DmaRangeList>;
            const list = yield* dmaBufMapRangeList(own, DIR);
            if (list.ok) yield* dmaBufUnmapRangeList(own, list.value, DIR);
            return errnoOf(list);
          });
        }
        rig.failAfter = -1;
        rig.machine.frames.failAfter = -1;
        expect([rig.maps, ...rig.machine.leftovers]).toEqual([0, ...before]);
        errnos.add(errno);
        if (errno === 0) break;
      }
      expect([...errnos]).toEqual([Errno.ENOMEM, 0]);
    },
  );

  it('of one mapping undo those before it', () => {
    const rig = new MappingRig({ iommu: false });
    const attach = attached(rig, 'far');
    dmaSetMask(rig.machine.far, dmaBitMask(32));
    const ranges = [...rig.physVec, { paddr: physAddr(2 ** 36), len: PAGE_SIZE }];
    rig.machine.log.clear();
    const list = dmaBufPhysVecToRangeList(attach, rig.machine.provider, ranges, 2 * PAGE_SIZE, DIR);
    const unmapped = rig.machine.log.events.filter(({ kind }) => kind === 'dma:dma_unmap_phys');
    expect([errnoOf(list), unmapped.length]).toEqual([Errno.ENOMEM, 1]);
  });
});
