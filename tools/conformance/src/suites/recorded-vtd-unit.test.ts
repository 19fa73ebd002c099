// The unit of a recorded machine: registers from table shape and command lines.
import {
  EventLog,
  PhysicalMemory,
  physAddr,
  recordedVtdCapabilities,
  recordedVtdCapabilitiesCachingMode,
  recordedVtdCapabilitiesScalable,
} from '@sgfree/hw-model';
import type { IntelIommu } from '@sgfree/iommu';
import { FrameAllocator } from '@sgfree/mm';
import { expect, test } from 'vitest';
import type { FileContext } from '../suite.ts';
import { recordedTableShape } from './recorded-table-shape.ts';
import { recordedVtdUnit } from './recorded-vtd-unit.ts';

const ALL_PAGES = 0x40201000;

function unitOf(bits: number, pgsizeBitmap: number, run: string | null): IntelIommu {
  const memory = new PhysicalMemory();
  const ram = { base: physAddr(0), bytes: 2 ** 24 };
  memory.addRam(ram.base, ram.bytes);
  const context: FileContext = {
    stem: 'inv_0',
    siblingNames: () => [],
    readSibling: () => null,
    readInput: (name) => (name === 'RUN.txt' ? run : null),
  };
  const surroundings = { memory, frames: new FrameAllocator(memory, ram), log: new EventLog() };
  return recordedVtdUnit(recordedTableShape(pgsizeBitmap, 2 ** (bits - 12) - 1), context, surroundings);
}

const run = (device: string, kernel = ''): string =>
  `kernel_cmdline=console=ttyS0 intel_iommu=on${kernel} iommu.strict=1\nqemu=qemu-system-x86_64 -device ${device} -device nvme\n`;

test.each([
  ['no RUN.txt', null, recordedVtdCapabilities],
  ['caching mode off', run('intel-iommu,intremap=off,caching-mode=off,aw-bits=48'), recordedVtdCapabilities],
  ['caching mode on', run('intel-iommu,caching-mode=on'), recordedVtdCapabilitiesCachingMode],
  [
    'scalable mode',
    run('intel-iommu,intremap=on,x-scalable-mode=on,caching-mode=on', ',sm_on'),
    recordedVtdCapabilitiesScalable,
  ],
])('%s: the registers that the kernel printed', (_name, text, { cap, ecap }) => {
  const { unit } = unitOf(48, ALL_PAGES, text);
  expect([unit.capabilities.cap, unit.capabilities.ecap]).toEqual([cap, ecap]);
});

test('scalable mode needs both the unit and the kernel', () => {
  const scalable = 'intel-iommu,x-scalable-mode=on';
  expect(unitOf(48, ALL_PAGES, run(scalable)).scalable).toBe(false);
  expect(unitOf(48, ALL_PAGES, run(scalable, ',sm_on')).scalable).toBe(true);
  expect(unitOf(48, ALL_PAGES, run('intel-iommu', ',sm_on')).scalable).toBe(false);
});

test('draining can be switched off', () => {
  const { drainReads, drainWrites } = unitOf(48, ALL_PAGES, run('intel-iommu,dma-drain=off')).unit
    .capabilities;
  expect([drainReads, drainWrites]).toEqual([false, false]);
});

test.each([
  [31, 0x1000],
  [39, ALL_PAGES],
  [46, 0x201000],
  [47, 0x201000],
  [47, ALL_PAGES],
  [48, 0x1000],
  [56, ALL_PAGES],
  [57, ALL_PAGES],
])('%i bits, pages 0x%s: the driver makes the domain that was recorded', (bits, pgsizeBitmap) => {
  const { geometry, table } = unitOf(bits, pgsizeBitmap, null).allocPagingDomain();
  expect(geometry.apertureLastFrame).toBe(2 ** (bits - 12) - 1);
  expect(table.pgsizeBitmap).toBe(pgsizeBitmap);
});
