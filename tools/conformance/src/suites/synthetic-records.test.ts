// Records that no recorded file shows, made up from the description of their formats: results that must be compared even
// though a call failed early, inputs that may vary, and files that hold a header alone.
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { expect, test } from 'vitest';
import { readLines } from '../record-file.ts';
import { type FileResult, replayFile } from '../replay-file.ts';
import type { JsonRecord } from '../suite.ts';
import { temporaryFolder } from '../temporary-folder.ts';
import { suites } from './index.ts';

const vectors = fileURLToPath(new URL('../../../../vectors/kernel/', import.meta.url));

const linesOf = (name: string): JsonRecord[] =>
  readLines(join(vectors, name)).map((line) => JSON.parse(line));

const headerOf = (name: string): JsonRecord => linesOf(name)[0] ?? {};

const replayed = (...lines: JsonRecord[]): FileResult => {
  const text = lines.map((line) => `${JSON.stringify(line)}\n`).join('');
  return replayFile({ path: join(temporaryFolder({ 'a.jsonl': text }), 'a.jsonl'), name: 'a.jsonl' }, suites);
};

const wrongFields = ({ mismatches }: FileResult): string[] => mismatches.map(({ field }) => field);

const lazy = headerOf('fq/fq_01.jsonl.gz');
const idleQueue = { head: 0, tail: 0, start: 0, finish: 0, timer_on: 0 };
const tooLong = { op: 'iova_link', phys: '0x10000000', len: 2 ** 49, ok: 0, addr: '0x0', ...idleQueue };

test('a two-step request that gets no range has a result to compare all the same', () => {
  expect(replayed(lazy, { ...tooLong, ret: 0 })).toMatchObject({ status: 'passed', passed: 1 });
  for (const ret of [-12345, -12, 1, null]) {
    expect(wrongFields(replayed(lazy, { ...tooLong, ret }))).toEqual(['ret']);
  }
});

const iommufd = headerOf('iommufd/iommufd_01_nodev.jsonl.gz');
const noSpace = { op: 'iova_ranges', ioas: 9, ret: -1, errno: 2, align: 0, num: 64, ranges: [] };

test('ranges of an address space that is not there: the request is as it was', () => {
  expect(replayed(iommufd, noSpace)).toMatchObject({ status: 'passed', passed: 1 });
  const wrong: [string, unknown][] = [
    ['errno', 90],
    ['align', 77],
    ['num', 99],
    ['ranges', [['0x1', '0x2']]],
  ];
  for (const [field, value] of wrong) {
    expect(wrongFields(replayed(iommufd, { ...noSpace, [field]: value }))).toEqual([field]);
  }
});

test('a bounce buffer that is too large has no address, no offset and no slot', () => {
  const header = headerOf('swiotlb/swiotlb_01.jsonl.gz');
  const params = { op: 'params', min_align_mask: 0, boundary: '0xffffffff' };
  const map = { op: 'map', id: 0, orig: '0x1000', size: 2 ** 18 + 1, alloc_align_mask: 0, ret: null };
  expect(replayed(header, params, map)).toMatchObject({ status: 'passed', passed: 2 });
  expect(wrongFields(replayed(header, params, { ...map, off: 0 }))).toEqual(['off']);
  expect(wrongFields(replayed(header, params, { ...map, slot: 7 }))).toEqual(['slot']);
});

test('frames beyond what the model represents are refused as such', () => {
  const header = { ...headerOf('iova/iova_03_granule512.jsonl.gz'), granule: 512, dma_32bit_pfn: '0x800000' };
  const end = '0xffffffffffffffff';
  const record = { op: 'find', ret: null, c32: end, c: end, m32: '0x800000' };
  expect(replayed(header, { ...record, pfn: '0x1fffffffffffff' })).toMatchObject({ status: 'passed' });
  const refused = replayed(header, { ...record, pfn: '0x20000000000000' }, { ...record, pfn: '0x1' });
  expect(refused).toMatchObject({ passed: 0, failed: 2, failure: { code: 'outside-model', line: 2 } });
  const start = replayed({ ...header, start_pfn: '0x20000000000001' }, { ...record, pfn: '0x1' });
  expect(start.failure).toMatchObject({ code: 'outside-model', line: 1 });
});

test('a header alone: lazy mode that the kernel turned off, and no domain because there is no IOMMU', () => {
  const noDomain = { suite: 'hwdom', cmd: 'hwdom', ncpus: 2, cpu: 0, page_size: 4096, dev: '0000:00:0c.0' };
  const alone: JsonRecord[] = [
    { ...lazy, domain_type: 3, fq_enabled: 0 },
    headerOf('inv/strict/inv_4.jsonl'),
    noDomain,
    { ...noDomain, type: null, pgsize_bitmap: null, aperture: null },
  ];
  for (const header of alone) {
    expect(replayed(header)).toMatchObject({ status: 'no-records', failed: 0, failure: null });
  }
  expect(replayed({ ...noDomain, type: 1 }).failure?.code).toBe('broken-header');
  const record = { op: 'map', i: 0, iova: '0x1000', phys: '0x1000', size: '0x1000', ret: 0 };
  expect(replayed(noDomain, record)).toMatchObject({ failed: 1, failure: { code: 'broken-line', line: 2 } });
});

const keep = linesOf('map/map_06_keep_live.jsonl');

/** Replays the recorded file under a name, with its dump under another. */
function withDump(stem: string, dump: string | null): FileResult {
  const lines = readLines(join(vectors, 'map/debugfs/map_06_domain_translation_struct.txt.gz'));
  const beside = dump === null ? {} : { [`debugfs/${dump}`]: lines.join('\n') };
  const text = keep.map((line) => `${JSON.stringify(line)}\n`).join('');
  const folder = temporaryFolder({ [`${stem}.jsonl`]: text, ...beside });
  return replayFile({ path: join(folder, `${stem}.jsonl`), name: `x/${stem}.jsonl` }, suites);
}

test('a dump that the records speak of is compared, or told to be missing by name', () => {
  const found = withDump('map_06_keep_live', 'map_06_domain_translation_struct.txt');
  expect(found).toMatchObject({ status: 'passed', alsoCompared: '981 of 981 dump rows' });
  expect(found.companions).toMatchObject({
    compared: ['x/debugfs/map_06_domain_translation_struct.txt'],
    missing: [],
  });
  for (const dump of ['map_06_domain_translation_struct.txt', null]) {
    const lost = withDump('live_keep', dump);
    expect(lost).toMatchObject({ status: 'passed', failed: 0, companions: { compared: [] } });
    expect(lost.companions.missing).toEqual([
      expect.stringContaining('debugfs/live_keep_domain_translation_struct.txt'),
    ]);
  }
});

test('no dump is missing where nothing was left mapped on purpose', () => {
  const { companions } = replayed(...keep.filter(({ op }) => op !== 'live'));
  expect(companions.missing).toEqual([]);
});
