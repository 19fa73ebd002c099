import { join } from 'node:path';
import { expect, test } from 'vitest';
import { findRecordFiles } from './find-record-files.ts';
import { readLines } from './record-file.ts';
import { replayFile } from './replay-file.ts';
import { traceBootSuite } from './suites/trace-boot.ts';
import { temporaryFolder } from './temporary-folder.ts';

const DEVICE = '0000:01:00.0';
const OTHER = '0000:02:00.0';
const zero = '0x0000000000000000';
const entry = (text: string): string => `0x${text.padStart(16, '0')}`;
const row = (frame: string, ...columns: string[]): string =>
  `0x${frame.padStart(13, '0')} |\t${columns.map(entry).join('\t')}`;
const dump = (device: string, ...rows: string[]): string =>
  [`Device ${device} @0x1000`, 'IOVA_PFN \tPML5E\tPML4E\tPDPE\tPDE\tPTE', ...rows, ''].join('\n');

const prefix = 'kworker/u8:0-11 [000] ..... 1.000000: ';
const trace = [
  `${prefix}add_device_to_group: IOMMU: groupID=3 device=${DEVICE}`,
  `${prefix}add_device_to_group: IOMMU: groupID=4 device=${OTHER}`,
  `${prefix}map: IOMMU: iova=0x0000000000200000 - 0x0000000000400000 paddr=0x0000000040000000 size=2097152`,
  `${prefix}dma_map_phys: ${DEVICE} dir=TO_DEVICE dma_addr=200000 size=2097152 phys_addr=40000000 attrs=`,
  `${prefix}map: IOMMU: iova=0x00000000fffff000 - 0x0000000100000000 paddr=0x0000000000005000 size=4096`,
  `${prefix}dma_map_phys: ${DEVICE} dir=FROM_DEVICE dma_addr=fffff200 size=64 phys_addr=5200 attrs=`,
  `${prefix}dma_map_phys: ${OTHER} dir=FROM_DEVICE dma_addr=7000 size=64 phys_addr=7000 attrs=`,
].join('\n');
const large = row('200', '0', '2003', '3003', '40000081', '0');
const small = row('fffff', '0', '2003', '3003', '4003', '5002');
const NAME = '_domain_translation_struct';

function folderWith(...rows: string[]): string {
  return temporaryFolder({
    'run/trace_boot.txt': trace,
    [`run/iommu_at_boot/intel__${DEVICE}_${NAME}`]: dump(DEVICE, ...rows),
    [`run/iommu_at_boot/intel__${OTHER}_${NAME}`]: dump(OTHER),
    'run/iommu_at_boot/intel__iommu_regset': 'registers',
    'run/trace_dd.txt': trace,
    'bare/trace_boot.txt': trace,
  });
}

test('a trace with dumps beside it is a record file, and no other text is', () => {
  const folder = folderWith(large, small);
  expect(findRecordFiles(folder).map(({ name }) => name)).toEqual(['run/trace_boot.txt']);
  expect(readLines(join(folder, 'run/trace_boot.txt')).map((line) => JSON.parse(line) as unknown)).toEqual([
    { suite: 'dumped_trace', trace: 'trace_boot.txt' },
    { op: 'domain', dev: DEVICE, rows: 2 },
    { op: 'page', dev: DEVICE, row: 0, pfn: '0x200', pte: entry('40000081'), level: 1 },
    { op: 'page', dev: DEVICE, row: 1, pfn: '0xfffff', pte: entry('5002'), level: 0 },
    { op: 'domain', dev: OTHER, rows: 0 },
  ]);
});

function resultOf(...rows: string[]): { passed: number; failed: number } {
  const [found] = findRecordFiles(folderWith(...rows));
  if (found === undefined) throw new Error('no file');
  return replayFile(found, [traceBootSuite]);
}

test('the tables at the end of the trace are the dumped ones, large pages included', () => {
  expect(resultOf(large, small)).toMatchObject({ passed: 4, failed: 0 });
});

test.each([
  ['a row too few', [large]],
  ['a row too many', [large, small, row('100000', '0', '1', '2', '3', '9003')]],
  ['other permissions', [large, row('fffff', '0', '2003', '3003', '4003', '5003')]],
  ['another page', [large, row('ffffe', '0', '2003', '3003', '4003', '5002')]],
  ['another memory', [large, row('fffff', '0', '2003', '3003', '4003', '6002')]],
  ['small pages', [row('200', '0', '2003', '3003', '4003', '40000001'), small]],
  ['no row', [`${zero} is no row`, small]],
])('%s is noticed', (_, rows) => {
  expect(resultOf(...rows).failed).toBeGreaterThan(0);
});

test('the dumps count as compared, and dumps that name no device are no records but a failure', () => {
  const folder = folderWith(large, small);
  const path = join(folder, 'run/trace_boot.txt');
  const { companions } = replayFile({ path, name: 'run/trace_boot.txt' }, [traceBootSuite]);
  expect(companions.compared).toEqual([
    `run/iommu_at_boot/intel__${DEVICE}_${NAME}`,
    `run/iommu_at_boot/intel__${OTHER}_${NAME}`,
  ]);
  const empty = temporaryFolder({ 'trace_boot.txt': trace, [`iommu_at_boot/intel__x_${NAME}`]: 'nothing\n' });
  const result = replayFile({ path: join(empty, 'trace_boot.txt'), name: 'trace_boot.txt' }, [
    traceBootSuite,
  ]);
  expect(result).toMatchObject({ status: 'failed', failed: 1, failure: { code: 'no-records' } });
});
