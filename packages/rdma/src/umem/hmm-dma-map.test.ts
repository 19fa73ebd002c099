// Pages mapped one by one: with a range of addresses, with a list, with neither; what a failure and an unmapping leave.
import { P2pdmaMapState } from '@sgfree/dma-core';
import { byteDistance, PAGE_SIZE } from '@sgfree/hw-model';
import { Errno, HmmPfn } from '@sgfree/mm';
import { describe, expect, it } from 'vitest';
import { UmemMachine } from '../../test/umem-machine.ts';
import { outcomeValue } from '../../test/verbs-rig.ts';
import {
  type HmmDmaMap,
  hmmDmaMapAlloc,
  hmmDmaMapFree,
  hmmDmaMapPfn,
  hmmDmaUnmapPfn,
} from './hmm-dma-map.ts';

const always = (): boolean => true;

function rig(iommu: boolean, allocate: (bytes: number) => boolean = always) {
  const machine = new UmemMachine({ iommu });
  const made = hmmDmaMapAlloc(machine.dev, 4, PAGE_SIZE, allocate);
  const frames = [1, 1, 1, 1].map((count) => machine.pages.allocRun(count));
  const p2p = new P2pdmaMapState();
  const show = (map: HmmDmaMap): void => {
    for (const [page, frame] of frames.entries()) {
      map.pfns.frame[page] = frame;
      map.pfns.flags[page] = HmmPfn.VALID + HmmPfn.WRITE;
    }
  };
  return { machine, made, frames, p2p, show };
}

describe('a map', () => {
  it('is refused for devices that need syncs, for less than an entry, and without memory', () => {
    const { machine, made: first } = rig(true);
    hmmDmaMapFree(machine.dev, outcomeValue(first));
    const errno = (entries: number, size: number, allocate = always): number => {
      const made = hmmDmaMapAlloc(machine.dev, entries, size, allocate);
      if (made.ok) hmmDmaMapFree(machine.dev, made.value);
      return made.ok ? 0 : made.errno;
    };
    expect(errno(511, 512 * PAGE_SIZE)).toBe(Errno.EINVAL);
    expect(errno(512, 512 * PAGE_SIZE)).toBe(0);
    expect(errno(1, PAGE_SIZE, () => false)).toBe(Errno.ENOMEM);
    machine.dev.dmaSkipSync = false;
    expect(errno(1, PAGE_SIZE)).toBe(Errno.EOPNOTSUPP);
    expect(machine.leftovers[3]).toBe(0);
  });

  it('asks for one list behind an IOMMU and on the direct map: eight bytes a page', () => {
    for (const iommu of [true, false]) {
      const asked: number[] = [];
      const { made } = rig(iommu, (bytes) => asked.push(bytes) > 0);
      expect(asked).toEqual([4 * 8]);
      expect(outcomeValue(made).dmaList).toBe(null);
    }
  });
});

it('behind an IOMMU an entry has its place in the range, keeps it, and only its own page goes', () => {
  const { machine, made, frames, p2p, show } = rig(true);
  const { dev } = machine;
  const map = outcomeValue(made);
  show(map);
  const first = hmmDmaMapPfn(dev, map, 0, 0, p2p);
  const third = hmmDmaMapPfn(dev, map, 2, 2, p2p);
  if (first === -1 || third === -1) throw new Error('not mapped');
  expect(byteDistance(first, third)).toBe(2 * PAGE_SIZE);
  expect(hmmDmaMapPfn(dev, map, 2, 2, p2p)).toBe(third);
  expect(machine.domain.table.liveLeafEntries).toBe(2);
  machine.rig.store((frames[2] ?? 0) * PAGE_SIZE, Uint8Array.of(9, 8));
  expect([...machine.deviceBytes(third, 2)]).toEqual([9, 8]);
  expect(hmmDmaUnmapPfn(dev, map, 2, 2)).toBe(true);
  expect(hmmDmaUnmapPfn(dev, map, 2, 2)).toBe(false);
  expect(map.pfns.flags[2]).toBe(HmmPfn.VALID + HmmPfn.WRITE);
  expect(machine.domain.table.liveLeafEntries).toBe(1);
  expect(hmmDmaUnmapPfn(dev, map, 0, 0)).toBe(true);
  hmmDmaMapFree(dev, map);
  expect(machine.leftovers.slice(2, 4)).toEqual([0, 0]);
});

it('a page that cannot be linked is not mapped, and the next try can', () => {
  const { machine, made, p2p, show } = rig(true);
  const map = outcomeValue(made);
  show(map);
  machine.tables.failAfter = 0;
  expect(hmmDmaMapPfn(machine.dev, map, 1, 1, p2p)).toBe(-1);
  expect(map.pfns.flags[1]).toBe(HmmPfn.VALID + HmmPfn.WRITE);
  expect(hmmDmaUnmapPfn(machine.dev, map, 1, 1)).toBe(false);
  machine.tables.failAfter = -1;
  expect(hmmDmaMapPfn(machine.dev, map, 1, 1, p2p)).not.toBe(-1);
  expect(hmmDmaUnmapPfn(machine.dev, map, 1, 1)).toBe(true);
  hmmDmaMapFree(machine.dev, map);
  expect(machine.leftovers.slice(2, 4)).toEqual([0, 0]);
});

it('a page that cannot be made visible is unlinked again, and the next try can', () => {
  const { machine, made, p2p, show } = rig(true);
  const map = outcomeValue(made);
  show(map);
  let refusals = 1;
  Object.assign(machine.domain.ops, { iotlbSyncMap: () => (refusals-- > 0 ? -Errno.ENOMEM : 0) });
  expect(hmmDmaMapPfn(machine.dev, map, 1, 1, p2p)).toBe(-1);
  expect(refusals).toBe(0);
  expect(machine.domain.table.liveLeafEntries).toBe(0);
  expect(map.pfns.flags[1]).toBe(HmmPfn.VALID + HmmPfn.WRITE);
  expect(hmmDmaMapPfn(machine.dev, map, 1, 1, p2p)).not.toBe(-1);
  expect(hmmDmaUnmapPfn(machine.dev, map, 1, 1)).toBe(true);
  hmmDmaMapFree(machine.dev, map);
  expect(machine.leftovers.slice(2, 4)).toEqual([0, 0]);
});

it('on the direct map addresses are computed anew, and what is mapped without being there is a violation', () => {
  const { machine, made, frames, p2p, show } = rig(false);
  const map = outcomeValue(made);
  show(map);
  for (let again = 0; again < 2; again += 1) {
    expect(hmmDmaMapPfn(machine.dev, map, 3, 3, p2p)).toBe((frames[3] ?? 0) * PAGE_SIZE);
  }
  expect(map.pfns.flags[3]).toBe(HmmPfn.VALID + HmmPfn.WRITE + HmmPfn.DMA_MAPPED);
  machine.rig.log.clear();
  map.pfns.flags[3] = HmmPfn.DMA_MAPPED;
  expect(hmmDmaUnmapPfn(machine.dev, map, 3, 3)).toBe(false);
  expect(JSON.stringify(machine.rig.log.events)).toContain('hmm-mapped-not-valid');
});
