// What an invalidation drops from a real unit's IOTLB, against what the driver was asked to flush: nothing of the range is
// kept, and what else goes is what the coding of sizes takes along.

import { fc, test } from '@fast-check/vitest';
import { recordedAmdFeatures } from '@sgfree/hw-model';
import { describe, expect } from 'vitest';
import { iommuFlushIotlbAll, iommuUnmap } from '../src/index.ts';
import {
  type AmdMachineOptions,
  amdMachine,
  DEVICE,
  deviceSees,
  mapPage,
  PAGE,
  pageAddress,
} from './amd-machine.ts';

const PAGES = 96;
const BASE = 0x1fe0;

/** Frames around the range that one command names: the smallest aligned block. */
function block(first: number, last: number): [number, number] {
  let size = 1;
  while (Math.floor(first / size) !== Math.floor(last / size)) size *= 2;
  const start = Math.floor(first / size) * size;
  return [start, start + size - 1];
}

const kinds: readonly [string, AmdMachineOptions, (first: number, last: number) => [number, number]][] = [
  ['bare metal: the block around the range', {}, block],
  [
    'hypervisor: the range and nothing else',
    { features: recordedAmdFeatures },
    (first, last) => [first, last],
  ],
];

describe.each(kinds)('%s', (_title, options, dropped) => {
  test.prop([fc.nat(PAGES - 1), fc.nat(PAGES - 1)], { numRuns: 40 })('of one unmap', (one, other) => {
    const [first, last] = [BASE + Math.min(one, other), BASE + Math.max(one, other)];
    const machine = amdMachine(options);
    const domain = machine.iommu.allocPagingDomain();
    machine.iommu.attachDevice(domain, DEVICE);
    const pages = Array.from({ length: PAGES }, (_, at) => BASE + at);
    // Every second frame, so that no leaf is larger than a page.
    for (const page of pages) mapPage(domain, page, 0x1001 + 2 * page);
    for (const page of pages) expect(deviceSees(machine, page)).toBe(0x1001 + 2 * page);
    const { walks } = machine.unit.counters;
    expect(iommuUnmap(domain, pageAddress(first), (last - first + 1) * PAGE)).toBe((last - first + 1) * PAGE);
    const [from, to] = dropped(first, last);
    for (const page of pages) {
      const gone = page >= first && page <= last;
      expect(deviceSees(machine, page)).toBe(gone ? -1 : 0x1001 + 2 * page);
    }
    // Each page that was dropped had to be walked for again; the others were still known.
    const walked = pages.filter((page) => page >= from && page <= to).length;
    expect(machine.unit.counters.walks - walks).toBe(walked);
    iommuFlushIotlbAll(domain);
    expect(machine.unit.iotlb.live).toBe(0);
  });
});
