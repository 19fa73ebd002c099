// Coherent memory: pages and addresses come and go together, behind an IOMMU and without one, and failures leave none.

import { addOffset, byteDistance, physAddr } from '@sgfree/hw-model';
import { iommuIovaToPhys } from '@sgfree/iommu';
import { describe, expect, it } from 'vitest';
import { hexOf, leftovers, type TestMachine, takeTrace, testMachine } from '../test/vtd-machine.ts';
import {
  type DmaAttrs,
  type DmaCoherentBlock,
  dmaAllocAttrs,
  dmaAllocCoherent,
  dmaBitMask,
  dmaFreeAttrs,
  dmaFreeCoherent,
  dmaSetCoherentMask,
  iommuSetupDmaOps,
  NO_ATTRS,
} from './index.ts';

function taken(block: DmaCoherentBlock | null): DmaCoherentBlock {
  if (block === null) throw new Error('the allocation failed');
  return block;
}

const nothingLeft = (machine: TestMachine): void => {
  expect(leftovers(machine)).toEqual({ entries: 0, ranges: 0 });
  expect(machine.pages.liveFrames).toBe(0);
};

describe('behind an IOMMU', () => {
  it('a pool page: one page, one address, one map; freed with an immediate flush', () => {
    const machine = testMachine();
    const block = taken(dmaAllocCoherent(machine.dev, 4096));
    expect([hexOf(block.dma), hexOf(block.phys), block.bytes]).toEqual(['fffff000', '2000000', 4096]);
    expect(takeTrace(machine)).toEqual(['map fffff000 2000000 1000']);
    dmaFreeCoherent(machine.dev, block);
    expect(takeTrace(machine)).toEqual(['unmap fffff000 1000 1000', 'sync fffff000 ffffffff']);
    nothingLeft(machine);
  });

  it.each<[number, DmaAttrs, number]>([
    [100, NO_ATTRS, 1],
    [3 * 4096 + 1, NO_ATTRS, 4],
    [5 * 4096, NO_ATTRS, 5],
    [5 * 4096, { forceContiguous: true }, 8],
    [3 * 2 ** 20, NO_ATTRS, 768],
  ])('%d bytes with %j take %d frames and every page translates', (bytes, attrs, count) => {
    const machine = testMachine();
    const block = taken(dmaAllocAttrs(machine.dev, bytes, attrs));
    expect(machine.pages.liveFrames).toBe(count);
    for (let at = 0; at < bytes; at += 4096) {
      const target = iommuIovaToPhys(machine.domain, addOffset(block.dma, at));
      expect(byteDistance(block.phys, target)).toBe(at);
    }
    dmaFreeAttrs(machine.dev, block, attrs);
    nothingLeft(machine);
  });

  it('a block of 2 MiB is one leaf, unless single pages are asked for', () => {
    const entries = (attrs: DmaAttrs): number => {
      const machine = testMachine();
      machine.pages.allocPages(0);
      taken(dmaAllocAttrs(machine.dev, 2 ** 21, attrs));
      return machine.domain.table.liveLeafEntries;
    };
    expect([entries(NO_ATTRS), entries({ allocSinglePages: true })]).toEqual([1, 512]);
  });

  it.each<[string, (machine: TestMachine, allowed: number) => void]>([
    [
      'pages',
      ({ pages }, allowed) => {
        pages.failAfter = allowed;
      },
    ],
    [
      'table pages',
      ({ frames }, allowed) => {
        frames.failAfter = allowed;
      },
    ],
  ])('running out of %s leaves nothing', (_name, limit) => {
    for (const attrs of [NO_ATTRS, { forceContiguous: true }]) {
      for (let allowed = 0; ; allowed += 1) {
        const machine = testMachine();
        limit(machine, allowed);
        const block = dmaAllocAttrs(machine.dev, 8192, attrs);
        if (block !== null) {
          expect(allowed).toBeGreaterThan(0);
          break;
        }
        expect(machine.log.events.at(-1)).toMatchObject({ kind: 'dma:dma_alloc', dmaAddr: 0, virtAddr: 0 });
        nothingLeft(machine);
      }
    }
  });

  it('an address out of the coherent mask is not used', () => {
    const machine = testMachine();
    dmaSetCoherentMask(machine.dev, 0xfff);
    expect(dmaAllocCoherent(machine.dev, 4096)).toBeNull();
    expect(dmaAllocAttrs(machine.dev, 4096, { forceContiguous: true })).toBeNull();
    nothingLeft(machine);
  });
});

describe('directly', () => {
  it('the address is the physical one, as far as the coherent mask reaches', () => {
    const machine = testMachine();
    iommuSetupDmaOps(machine.dev, null);
    const block = taken(dmaAllocCoherent(machine.dev, 3 * 4096));
    expect([block.dma, machine.pages.liveFrames]).toEqual([block.phys, 4]);
    dmaFreeCoherent(machine.dev, block);
    expect(dmaSetCoherentMask(machine.dev, dmaBitMask(25))).toBe(0);
    expect(dmaAllocCoherent(machine.dev, 4096)).toBeNull();
    nothingLeft(machine);
  });

  it('more than the largest page block cannot be had', () => {
    const machine = testMachine();
    iommuSetupDmaOps(machine.dev, null);
    expect(dmaAllocCoherent(machine.dev, 4 * 2 ** 20 + 1)).toBeNull();
    dmaFreeCoherent(machine.dev, taken(dmaAllocCoherent(machine.dev, 4 * 2 ** 20)));
    nothingLeft(machine);
  });
});

it('shared confidential memory is refused, with an event', () => {
  const machine = testMachine();
  expect(dmaAllocAttrs(machine.dev, 4096, { ccShared: true })).toBeNull();
  expect(machine.log.events.map(({ kind, attrs }) => [kind, attrs])).toEqual([
    ['dma:dma_alloc', 'CC_SHARED'],
  ]);
});

it('the event of an allocation comes after it, that of freeing before', () => {
  const machine = testMachine();
  dmaFreeCoherent(machine.dev, taken(dmaAllocCoherent(machine.dev, 4096)));
  expect(machine.log.events.map(({ kind }) => kind)).toEqual([
    'iommu:map',
    'dma:dma_alloc',
    'dma:dma_free',
    'iommu:unmap',
    'test:sync',
  ]);
});

it('without a page allocator there is none', () => {
  const machine = testMachine({ platform: { pages: null } });
  expect(dmaAllocCoherent(machine.dev, 4096)).toBeNull();
  iommuSetupDmaOps(machine.dev, null);
  expect(dmaAllocCoherent(machine.dev, 4096)).toBeNull();
  expect(machine.memory.isRam(physAddr(0), 4096)).toBe(true);
});
