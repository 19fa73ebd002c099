// Checks 16 to 27: what is mapped, what is left, and what the checker needs.

import {
  DMA_MAPPING_ERROR,
  debugDmaMapSingle,
  dmaDebugDeviceChange,
  dmaMapPageAttrs,
  dmaMappingError,
  dmaMapResource,
  dmaMapSingleAttrs,
  dmaUnmapPhys,
  dmaUnmapSingleAttrs,
  NO_ATTRS,
} from '@sgfree/dma-core';
import { dmaAddr, physAddr } from '@sgfree/hw-model';
import { expect } from 'vitest';
import { dmaMapSg } from '../src/index.ts';
import { type CheckCase, FRAME, listAndBack, mapAndUnmap, PAGE } from './check-case.ts';
import {
  BAR,
  BUFFER,
  type CheckedMachine,
  type CheckedMachineOptions,
  KERNEL_TEXT,
  mapChecked,
  PEER_BAR,
  RESERVED,
  STACK,
  VMALLOC,
} from './checked-machine.ts';
import { tableOf } from './sg-machine.ts';

const cacheAligned: CheckedMachineOptions = { cacheAlignment: 64 };

/** Maps a buffer `times` over, and unmaps each. */
const overlapping = (times: number, attrs = NO_ATTRS, dir: 'to-device' | 'from-device' = 'from-device') =>
  function overlap({ dev }: CheckedMachine): void {
    const addresses = Array.from({ length: times }, () => mapChecked(dev, BUFFER, PAGE, dir, attrs));
    for (const address of addresses) dmaUnmapPhys(dev, address, PAGE, dir, attrs);
  };

export const mappingCases: readonly CheckCase[] = [
  {
    check: 16,
    name: 'an entry longer than the device takes',
    rule: 'dma-debug-segment-too-long',
    data: { length: 0x11000, max: 0x10000 },
    wrong: ({ dev }) => void dmaMapSg(dev, tableOf([FRAME, 0, 0x11000]).list, 1, 'to-device'),
    right: ({ dev }) => void dmaMapSg(dev, tableOf([FRAME, 0, 0x10000]).list, 1, 'to-device'),
  },
  {
    check: 17,
    name: 'a segment across the boundary of the device',
    rule: 'dma-debug-segment-boundary',
    data: { boundary: 0xffff },
    options: { iommu: false },
    wrong: ({ dev }) => {
      dev.segmentBoundaryMask = 0xffff;
      dmaMapSg(dev, tableOf([FRAME + 15, 0, 2 * PAGE]).list, 1, 'to-device');
    },
    right: ({ dev }) => {
      dev.segmentBoundaryMask = 0xffff;
      dmaMapSg(dev, tableOf([FRAME, 0, 0x10000]).list, 1, 'to-device');
    },
  },
  {
    check: 18,
    name: 'a buffer on the stack',
    rule: 'dma-debug-stack-memory',
    data: { phys: STACK + 100 },
    wrong: ({ dev }) => void mapChecked(dev, STACK + 100, 8),
    right: ({ dev }) => void mapChecked(dev, STACK - 8, 16),
  },
  {
    check: 18,
    name: 'a list entry on the stack',
    rule: 'dma-debug-stack-memory',
    data: { phys: STACK },
    wrong: ({ dev }) => void dmaMapSg(dev, tableOf([STACK / PAGE, 0, 8]).list, 1, 'to-device'),
    right: listAndBack,
  },
  {
    check: 19,
    name: 'a buffer that reaches into kernel text',
    rule: 'dma-debug-kernel-text',
    data: { phys: KERNEL_TEXT - 4, size: 8 },
    wrong: ({ dev }) => void mapChecked(dev, KERNEL_TEXT - 4, 8, 'to-device'),
    right: ({ dev }) => void mapChecked(dev, KERNEL_TEXT - 4, 4, 'to-device'),
  },
  {
    check: 20,
    name: 'dma_map_single of an address without memory',
    rule: 'dma-debug-invalid-area',
    data: { cpuAddress: BAR, size: 8 },
    wrong: ({ dev }) => void dmaMapSingleAttrs(dev, physAddr(BAR), 8, 'to-device', NO_ATTRS),
    right: ({ dev }) => {
      const address = dmaMapSingleAttrs(dev, physAddr(BUFFER), 8, 'to-device', NO_ATTRS);
      expect(dmaMappingError(dev, address)).toBe(0);
      dmaUnmapSingleAttrs(dev, dmaAddr(address), 8, 'to-device', NO_ATTRS);
    },
  },
  {
    check: 21,
    name: 'dma_map_single of a vmalloc address: refused before, so only the hook itself gets here',
    rule: 'dma-debug-vmalloc-area',
    data: { cpuAddress: VMALLOC, size: 8 },
    wrong: ({ dev, platform, takeRules }) => {
      const address = dmaMapSingleAttrs(dev, physAddr(VMALLOC), 8, 'to-device', NO_ATTRS);
      expect([address, takeRules()]).toEqual([DMA_MAPPING_ERROR, []]);
      platform.memory.addRam(physAddr(VMALLOC), PAGE);
      debugDmaMapSingle(dev, physAddr(VMALLOC), 8);
    },
    right: ({ dev }) => debugDmaMapSingle(dev, physAddr(BUFFER), 8),
  },
  {
    check: 22,
    name: 'RAM mapped as MMIO',
    rule: 'dma-debug-mmio-ram',
    data: { phys: BUFFER },
    wrong: ({ dev }) => void dmaMapResource(dev, physAddr(BUFFER), PAGE, 'to-device', NO_ATTRS),
    right: ({ dev }) => {
      for (const phys of [BAR, PEER_BAR, RESERVED]) {
        dmaMapResource(dev, physAddr(phys), PAGE, 'to-device', NO_ATTRS);
      }
    },
  },
  {
    check: 23,
    name: 'two mappings that the device writes start in one cacheline',
    rule: 'dma-debug-cacheline-overlap',
    options: cacheAligned,
    data: { cacheline: BUFFER / 64, overlaps: 1 },
    wrong: overlapping(2),
    right: overlapping(2, NO_ATTRS, 'to-device'),
  },
  {
    check: 24,
    name: 'the ninth mapping of a cacheline, its eighth overlap',
    rule: 'dma-debug-cacheline-overflow',
    data: { cacheline: BUFFER / 64, overlaps: 8 },
    wrong: overlapping(9),
    right: overlapping(8),
  },
  {
    check: 25,
    name: 'a driver that leaves mappings behind',
    rule: 'dma-debug-leaked-at-unbind',
    data: { count: 2, size: PAGE, mappedWith: 'from-device', mappedAs: 'phy' },
    wrong: ({ dev, other }) => {
      mapChecked(dev, BUFFER, PAGE);
      mapChecked(dev, BUFFER + PAGE, PAGE);
      mapChecked(other, BUFFER, PAGE);
      dmaDebugDeviceChange(dev);
    },
    right: ({ dev, other }) => {
      mapAndUnmap({ dev } as CheckedMachine);
      mapChecked(other, BUFFER, PAGE);
      dmaDebugDeviceChange(dev);
    },
  },
  {
    check: 26,
    name: 'a zone-device page given to dma_map_page',
    rule: 'dma-debug-zone-device-page',
    data: { frame: PEER_BAR / PAGE, pagemap: 'pci-p2pdma' },
    wrong: ({ dev }) => {
      expect(dmaMapPageAttrs(dev, PEER_BAR / PAGE, 0, 8, 'to-device', NO_ATTRS)).toBe(DMA_MAPPING_ERROR);
    },
    right: ({ dev }) => {
      expect(dmaMapPageAttrs(dev, FRAME, 0, 8, 'to-device', NO_ATTRS)).not.toBe(DMA_MAPPING_ERROR);
    },
  },
  {
    check: 27,
    name: 'no memory for another entry',
    rule: 'dma-debug-out-of-memory',
    options: { entries: 32, mostEntries: 63 },
    data: { entries: 32 },
    wrong: ({ dev }) => {
      for (let at = 0; at < 40; at += 1) mapChecked(dev, BUFFER + at * PAGE, 8);
    },
    right: ({ dev }) => {
      for (let at = 0; at < 32; at += 1) mapChecked(dev, BUFFER + at * PAGE, 8);
    },
  },
  {
    check: 27,
    name: 'no memory for another cacheline',
    rule: 'dma-debug-cacheline-memory',
    options: { mostCachelines: 1 },
    data: { lines: 1 },
    wrong: ({ dev }) => {
      for (let at = 0; at < 4; at += 1) mapChecked(dev, BUFFER + at * PAGE, 8);
    },
    right: overlapping(3),
  },
];
