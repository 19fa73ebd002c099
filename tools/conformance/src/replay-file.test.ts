import { join } from 'node:path';
import { expect, test } from 'vitest';
import { findRecordFiles } from './find-record-files.ts';
import { type FileResult, replayFile } from './replay-file.ts';
import type { Suite } from './suite.ts';
import { temporaryFolder } from './temporary-folder.ts';
import { gzipped, toySuite, toyText } from './toy-suite.ts';

function replay(
  content: string | Uint8Array,
  name = 'a.jsonl',
  more: Record<string, string> = {},
): FileResult {
  const folder = temporaryFolder({ [name]: content, ...more });
  return replayFile({ path: join(folder, name), name }, [toySuite()]);
}

const counts = ({ records, passed, failed, skipped }: FileResult): number[] => [
  records,
  passed,
  failed,
  skipped,
];

test('a correct file passes, plain or gzipped, whatever its name says', () => {
  const text = toyText([1, 2, 3]);
  for (const name of ['a.jsonl', 'a.jsonl.gz']) {
    for (const content of [text, gzipped(text)]) {
      const result = replay(content, name);
      expect(result).toMatchObject({ status: 'passed', suite: 'toy', failure: null, mismatches: [] });
      expect(counts(result)).toEqual([6, 6, 0, 0]);
    }
  }
});

test('a wrong record fails alone and names line, field, expected and got', () => {
  const result = replay(toyText([1, 2, 3]).replace('"sum":3', '"sum":4'));
  expect(counts(result)).toEqual([6, 5, 1, 0]);
  expect(result.status).toBe('failed');
  expect(result.mismatches).toEqual([{ line: 4, kind: 'add', field: 'sum', expected: 4, got: 3 }]);
});

const whole = gzipped(toyText([1, 2, 3]));
test.each([
  ['an empty file', '', 'empty', 0],
  ['blank lines only', '\n\n', 'empty', 0],
  ['truncated gzip', whole.subarray(0, whole.length - 12), 'broken-gzip', 0],
  ['a gzip header alone', whole.subarray(0, 4), 'broken-gzip', 0],
  ['bytes that are no text', Uint8Array.of(0x7b, 0xff, 0xfe), 'not-utf8', 0],
  ['a header that is no JSON', '{"suite":\n{"op":"pause"}\n', 'broken-header', 1],
  ['a header that is a list', '[1]\n{"op":"pause"}\n', 'broken-header', 1],
  ['a header without a suite', '{"start":1}\n{"op":"pause"}\n', 'broken-header', 1],
  ['a record in the place of the header', '{"op":"pause"}\n{"op":"pause"}\n', 'broken-header', 1],
  ['a header that the suite refuses', '{"suite":"toy"}\n{"op":"pause"}\n', 'broken-header', 1],
  ['an unknown suite', '{"suite":"yot"}\n{"op":"pause"}\n', 'unknown-suite', 1],
  ['an unknown format version', '{"format":"iova-golden/9"}\n{"op":"pause"}\n', 'unknown-suite', 1],
] as const)('%s is a failure', (_, content, code, line) => {
  const result = replay(content);
  expect(result.status).toBe('failed');
  expect(result.failure).toMatchObject({ code, line });
  expect(result.passed).toBe(0);
  expect(result.failed).toBeGreaterThanOrEqual(1);
});

test('a good header and nothing else is no failure, unless something is left behind', () => {
  const header = '{"suite":"toy","start":0}\n';
  const alone = replay(header);
  expect(alone).toMatchObject({ status: 'no-records', failure: null, mismatches: [] });
  expect(counts(alone)).toEqual([0, 0, 0, 0]);
  const wrong = replay(header, 'b.jsonl', { 'dumps/b.txt': '4\n' });
  expect(wrong).toMatchObject({ status: 'failed', mismatches: [{ line: 1, kind: 'end of file' }] });
  expect(counts(wrong)).toEqual([0, 0, 1, 0]);
});

test.each([
  ['a broken line', '{"op":"add"', 'broken-line'],
  ['a line that is no object', '7', 'broken-line'],
  ['an empty line', '', 'broken-line'],
  ['a record kind the suite does not know', '{"op":"subtract","by":1}', 'broken-line'],
  ['a record without a kind', '{}', 'broken-line'],
  ['a record on which the model throws', '{"op":"crash"}', 'replay-error'],
] as const)('after %s nothing is replayed and the rest has failed', (_, line, code) => {
  const lines = toyText([1, 2, 3]).split('\n');
  lines.splice(3, 0, line);
  const result = replay(lines.join('\n'));
  expect(result.failure).toMatchObject({ code, line: 4 });
  expect(counts(result)).toEqual([7, 2, 5, 0]);
});

test('a missing file is a failure', () => {
  const result = replayFile({ path: '/nowhere/a.jsonl', name: 'a.jsonl' }, [toySuite()]);
  expect(result.failure?.code).toBe('unreadable');
  expect(counts(result)).toEqual([0, 0, 1, 0]);
});

test('a check at the end of the file counts with the last record', () => {
  expect(counts(replay(toyText([1, 2]), 'b.jsonl', { 'dumps/b.txt': '3\n' }))).toEqual([5, 5, 0, 0]);
  const wrong = replay(toyText([1, 2]), 'b.jsonl', { 'dumps/b.txt': '4\n' });
  expect(counts(wrong)).toEqual([5, 4, 1, 0]);
  expect(wrong.mismatches).toEqual([
    { line: 6, kind: 'end of file', field: 'dump', expected: '4\n', got: '3\n' },
  ]);
});

test('a kind on the not-modelled list is skipped, but not when it is broken', () => {
  const header = '{"suite":"pgtable","cmd":"pgtable fmt=riscv_64"}\n';
  expect(replay(header)).toMatchObject({ status: 'skipped', suite: 'pgtable/riscv', records: 0 });
  expect(counts(replay(`${header}{"op":"idle"}\n{"op":"idle"}\n`))).toEqual([2, 0, 0, 2]);
  expect(replay(`${header}{"op":"idle"}\n{"op":`)).toMatchObject({ status: 'failed', passed: 0, skipped: 0 });
});

test('a list that is skipped may have no header: its first line is a record', () => {
  const line = '{"k":0,"op":"read","pos":0,"iov":[{"p2p":1,"off":0,"len":512}],"ret":512,"errno":0}\n';
  expect(replay(line.repeat(3))).toMatchObject({ status: 'skipped', suite: 'p2pio', records: 3, skipped: 3 });
});

/** A list without header whose records say how many came before. */
const bareSuite: Suite = {
  name: 'bare',
  headerless: true,
  accepts: (first) => 'seen' in first,
  open: () => {
    let seen = 0;
    return {
      replay: ({ seen: expected }) => {
        const got = seen++;
        return got === expected ? [] : [{ field: 'seen', expected, got }];
      },
    };
  },
  kindOf: () => 'bare',
  outputs: { bare: ['seen'] },
};

test('a suite without header replays the first line too, and only lists that begin with its records', () => {
  const replayWithBare = (content: string): FileResult => {
    const folder = temporaryFolder({ 'a.jsonl': content });
    return replayFile({ path: join(folder, 'a.jsonl'), name: 'a.jsonl' }, [bareSuite, toySuite()]);
  };
  const result = replayWithBare('{"seen":0}\n{"seen":7}\n{"seen":2}\n');
  expect(counts(result)).toEqual([3, 2, 1, 0]);
  expect(result).toMatchObject({ suite: 'bare', mismatches: [{ line: 2, expected: 7, got: 1 }] });
  expect(replayWithBare('{"seen":0}\n')).toMatchObject({ status: 'passed', records: 1 });
  expect(replayWithBare(toyText([1]))).toMatchObject({ status: 'passed', suite: 'toy' });
  expect(replayWithBare('{"other":0}\n')).toMatchObject({
    status: 'failed',
    failure: { code: 'broken-header' },
  });
});

test('record files are found in any layout, companions are not', () => {
  const folder = temporaryFolder({
    'z.jsonl': '',
    'a/b/c.jsonl.gz': '',
    'a/b.JSONL': '',
    'a/README.md': '',
    'a/trace.txt.gz': '',
    'a/notjsonl': '',
  });
  expect(findRecordFiles(folder).map(({ name }) => name)).toEqual(['a/b.JSONL', 'a/b/c.jsonl.gz', 'z.jsonl']);
  expect(findRecordFiles(join(folder, 'z.jsonl')).map(({ name }) => name)).toEqual(['z.jsonl']);
});

test.each<[string, Partial<Suite>]>([
  ['accepts', { accepts: () => JSON.parse('no header') }],
  ['kindOf', { kindOf: () => JSON.parse('no record') }],
])('a suite that throws in %s fails the file, not the run', (_, flaw) => {
  const folder = temporaryFolder({ 'a.jsonl': toyText([1, 2]) });
  const result = replayFile({ path: join(folder, 'a.jsonl'), name: 'a.jsonl' }, [{ ...toySuite(), ...flaw }]);
  expect(result).toMatchObject({ status: 'failed', passed: 0, failure: { code: 'replay-error' } });
  expect(result.failed).toBe(result.records);
});
