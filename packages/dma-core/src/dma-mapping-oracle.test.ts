// dma_map_phys against a plain list of what is mapped, after every step of a random run: each address translates byte
// by byte, ranges do not overlap, the page table holds the pages of the list and nothing else, teardown leaves nothing.

import { addOffset, type DmaAddr, frameOf, type PhysAddr, physAddr } from '@sgfree/hw-model';
import { iommuIovaToPhys } from '@sgfree/iommu';
import fc from 'fast-check';
import { expect, it } from 'vitest';
import { leftovers, type TestMachine, testMachine } from '../test/vtd-machine.ts';
import { DMA_MAPPING_ERROR, dmaBitMask, dmaMapPhys, dmaUnmapPhys, NO_ATTRS } from './index.ts';

interface Mapping {
  readonly address: DmaAddr;
  readonly phys: PhysAddr;
  readonly size: number;
}

const firstPage = ({ address }: Mapping): number => frameOf(address);
const lastPage = ({ address, size }: Mapping): number => frameOf(addOffset(address, size - 1));

function agrees({ domain, iovad }: TestMachine, live: readonly Mapping[]): void {
  let pages = 0;
  const byAddress = [...live].sort((one, other) => firstPage(one) - firstPage(other));
  for (const [at, mapping] of byAddress.entries()) {
    const below = byAddress[at - 1];
    if (below !== undefined) expect(firstPage(mapping)).toBeGreaterThan(lastPage(below));
    pages += lastPage(mapping) - firstPage(mapping) + 1;
    for (const byte of [0, mapping.size - 1]) {
      const target = iommuIovaToPhys(domain, addOffset(mapping.address, byte));
      expect(target).toBe(addOffset(mapping.phys, byte));
    }
  }
  let entered = 0;
  domain.table.visitLeaves((_frame, _low, _high, level) => {
    entered += 512 ** level;
  });
  expect(entered).toBe(pages);
  expect(iovad.liveRanges).toBe(live.length);
}

const step = fc.record({
  unmap: fc.boolean(),
  pick: fc.nat(1000),
  phys: fc.integer({ min: 0x100_0000, max: 0x700_0000 }),
  size: fc.oneof(fc.integer({ min: 1, max: 9000 }), fc.constantFrom(4096, 0x21000, 2 ** 21, 3 * 2 ** 20)),
});

it.each([64, 32, 24])('with a mask of %d bits', (bits) => {
  fc.assert(
    fc.property(fc.array(step, { maxLength: 80 }), (steps) => {
      const machine = testMachine({ device: { dmaMask: dmaBitMask(bits) } });
      machine.log.enabled = false;
      const live: Mapping[] = [];
      const unmap = (at: number): void => {
        const [mapping] = live.splice(at, 1);
        if (mapping === undefined) return;
        dmaUnmapPhys(machine.dev, mapping.address, mapping.size, 'from-device', NO_ATTRS);
      };
      for (const { unmap: takes, pick, phys, size } of steps) {
        if (takes) unmap(pick % Math.max(1, live.length));
        else {
          const address = dmaMapPhys(machine.dev, physAddr(phys), size, 'from-device', NO_ATTRS);
          if (address === DMA_MAPPING_ERROR) continue;
          expect(frameOf(addOffset(address, size - 1))).toBeLessThan(2 ** (bits - 12));
          live.push({ address, phys: physAddr(phys), size });
        }
        agrees(machine, live);
      }
      while (live.length > 0) unmap(0);
      expect(leftovers(machine)).toEqual({ entries: 0, ranges: 0 });
    }),
    { numRuns: 60 },
  );
});
