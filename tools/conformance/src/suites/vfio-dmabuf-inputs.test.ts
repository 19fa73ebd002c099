// Recorded runs of a BAR in a page table with other inputs: user pages that were replaced, and descriptors of no meaning.
import { readdirSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { expect, test } from 'vitest';
import { readLines, readText } from '../record-file.ts';
import { type FileResult, replayFile } from '../replay-file.ts';
import type { JsonRecord } from '../suite.ts';
import { temporaryFolder } from '../temporary-folder.ts';
import { suites } from './index.ts';

const vectors = fileURLToPath(new URL('../../../../vectors/kernel/vfio/', import.meta.url));
const NAME = 'vfio_dmabuf_0.jsonl';

const textsIn = (folder: string): Record<string, string> =>
  Object.fromEntries(
    readdirSync(join(vectors, folder)).map((name) => [
      `${folder}/${name.replace(/\.gz$/, '')}`,
      readText(join(vectors, folder, name)),
    ]),
  );

const beside = {
  ...textsIn('topo'),
  'RUN.txt': readText(join(vectors, 'RUN.txt')),
  'pairs.txt': readText(join(vectors, 'pairs.txt')),
};
const [header = {}, ...recorded] = readLines(join(vectors, `${NAME}.gz`)).map(
  (line): JsonRecord => JSON.parse(line),
);
/** What comes before is the machine set up, and then requests that these tests do without. */
const mappedAt = recorded.findIndex(({ op, ret }) => op === 'map' && ret === 0);
const setUp = recorded
  .slice(0, mappedAt)
  .filter(({ op }) => !['dmabuf', 'close_dmabuf', 'map_file', 'unmap', 'pci_command'].includes(String(op)));

function replayed(first: JsonRecord, records: readonly JsonRecord[]): FileResult {
  const text = [first, ...records].map((line) => `${JSON.stringify(line)}\n`).join('');
  const folder = temporaryFolder({ [NAME]: text, ...beside });
  return replayFile({ path: join(folder, NAME), name: NAME }, suites);
}

const PAGE = 4096;
const userVa = 0x7000_0000_0000;

const hexOf = (value: number): string => `0x${value.toString(16)}`;

/** Maps pages of which the first has this frame. */
const mapPages = (frame: number, pages: number, at: number): JsonRecord => ({
  op: 'map',
  k: 0,
  user_va: hexOf(userVa),
  length: hexOf(pages * PAGE),
  ret: 0,
  errno: 0,
  iova: hexOf(at),
  phys: Array.from({ length: pages }, (_, page) => hexOf((frame + page) * PAGE)),
});

const unmapped = (at: number, pages: number): JsonRecord => ({
  op: 'unmap',
  k: 0,
  iova: hexOf(at),
  length: hexOf(pages * PAGE),
  ret: 0,
  errno: 0,
  unmapped: hexOf(pages * PAGE),
});

/** An area is placed at a multiple of its length. */
const at = 4 * PAGE;

test('a page that nobody pins may have got another frame', () => {
  const { mismatches, failure, passed, records } = replayed(header, [
    ...setUp,
    mapPages(0x1000, 4, at),
    unmapped(at, 4),
    mapPages(0x1002, 4, at),
    unmapped(at, 4),
    mapPages(0x1000, 2, 2 * PAGE),
  ]);
  expect({ mismatches, failure }).toEqual({ mismatches: [], failure: null });
  expect(passed).toBe(records);
});

test('a page that is pinned has not moved: found and expected are named', () => {
  const result = replayed(header, [
    ...setUp,
    mapPages(0x1000, 4, at),
    mapPages(0x1000, 4, at + 4 * PAGE),
    unmapped(at, 4),
    { ...mapPages(0x1000, 4, at), phys: ['0x1000000', '0x1001000', '0x2000000', '0x1003000'] },
  ]);
  expect(result.failure).toMatchObject({ code: 'broken-line', line: 2 + setUp.length + 3 });
  expect(result.failure?.message).toContain('phys[2]: found "0x2000000", expected 0x1002000');
  expect(result.passed).toBe(setUp.length + 3);
});

test('descriptors and the file of the exporter have no meaning', () => {
  for (const fds of [[], [4, 5], [7, 6, 5, 4, 3]]) {
    const other = { ...header, fds, exporter_cdev: '/dev/vfio/17' };
    expect(replayed(other, setUp)).toMatchObject({ status: 'passed', failure: null });
  }
  for (const fds of [7, ['4'], null]) {
    expect(replayed({ ...header, fds }, setUp).failure?.code).toBe('broken-header');
  }
});
