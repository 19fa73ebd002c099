// The dump beside a mapping file: which one it is, what its rows say, and where it differs from a live table.

import { dmaAddr, PhysicalMemory, physAddr } from '@sgfree/hw-model';
import {
  IOMMU_READ,
  IOMMU_WRITE,
  iommuMap,
  PageTable,
  PagingDomain,
  VtdSecondStageFormat,
} from '@sgfree/iommu';
import { FrameAllocator } from '@sgfree/mm';
import { expect, test } from 'vitest';
import type { FileContext } from '../suite.ts';
import { companionDump, dumpRows, firstDifferingRow, liveRows } from './map-debugfs.ts';

const zero = `0x${'0'.repeat(16)}`;
const row = (frame: string, ...columns: string[]): string =>
  `0x${frame.padStart(13, '0')} |\t${columns.map((value) => `0x${value.padStart(16, '0')}`).join('\t')}`;

const text = [
  'Device 0000:00:08.0 @0x1000',
  'IOVA_PFN         \tPML5E \tPML4E \tPDPE \tPDE \tPTE',
  row('200', '0', '5403', '6403', '400083', '0'),
  row('fffff', '0', '5403', '6403', '7403', '1234001'),
  '',
  'Device 0000:00:09.0 @0x2000',
  row('1', '0', '0', '0', '0', '5003'),
].join('\n');

function domain(): PagingDomain {
  const memory = new PhysicalMemory();
  const ram = { base: physAddr(0x100_0000), bytes: 2 ** 24 };
  memory.addRam(ram.base, ram.bytes);
  const format = new VtdSecondStageFormat({});
  const table = new PageTable({ format, memory, frames: new FrameAllocator(memory, ram), vaBits: 48 });
  const made = new PagingDomain({
    table,
    ops: { iotlbSync: () => undefined, flushIotlbAll: () => undefined, iotlbSyncMap: null },
  });
  iommuMap(made, dmaAddr(0x20_0000), physAddr(0x40_0000), 0x20_0000, IOMMU_READ | IOMMU_WRITE);
  iommuMap(made, dmaAddr(0xffff_f000), physAddr(0x123_4000), 0x1000, IOMMU_READ);
  return made;
}

test('rows of one device, titles and other devices left out', () => {
  expect(dumpRows(text, '0000:00:09.0')).toEqual([['1', zero, zero, zero, zero, '0x0000000000005003']]);
  expect(dumpRows(text, '0000:00:0a.0')).toBeNull();
  expect(dumpRows('Device a @0x1\nwhat is this', 'a')).toEqual([['what is this']]);
});

test('a large page is one row with its entry in the column of its level', () => {
  const live = liveRows(domain());
  expect(live).toEqual([
    ['200', '0x0000000000400083', zero],
    ['fffff', '0x0000000001234001'],
  ]);
  expect(firstDifferingRow(dumpRows(text, '0000:00:08.0') ?? [], live)).toBe(-1);
});

test.each([
  ['another frame', text.replace('0x0000000000200', '0x0000000000201'), 0],
  ['another permission', text.replace('1234001', '1234003'), 1],
  [
    'a large page in the column of small ones',
    text.replace(/400083\t(0x0+)/, `0\t0x${'400083'.padStart(16, '0')}`),
    0,
  ],
  ['a row less', text.replace(/0x00000000fffff.*\n/, ''), 1],
  ['a row more', text.replace('\n\n', `\n${row('100000', '0', '0', '0', '0', '5003')}\n\n`), 2],
])('%s is noticed', (_, altered, index) => {
  expect(firstDifferingRow(dumpRows(altered, '0000:00:08.0') ?? [], liveRows(domain()))).toBe(index);
});

test('the dump of a file has the start of its name', () => {
  const context = (stem: string): FileContext => ({
    stem,
    siblingNames: () => [
      'iommu_regset.txt',
      'map_0_domain_translation_struct.txt',
      'map_06_domain_translation_struct.txt',
    ],
    readSibling: (name) => name,
    readInput: () => null,
  });
  expect(companionDump(context('map_06_keep_live'))).toBe('debugfs/map_06_domain_translation_struct.txt');
  expect(companionDump(context('map_06'))).toBe('debugfs/map_06_domain_translation_struct.txt');
  expect(companionDump(context('map_07_keep_live'))).toBeNull();
  expect(companionDump(undefined)).toBeNull();
});
