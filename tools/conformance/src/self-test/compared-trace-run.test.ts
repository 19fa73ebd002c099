// Which words and lines of a compared trace are altered, and that a comparison which overlooks one is found.

import { expect, test } from 'vitest';
import { findRecordFiles } from '../find-record-files.ts';
import type { JsonRecord, Mismatch, Suite } from '../suite.ts';
import { temporaryFolder } from '../temporary-folder.ts';
import type { TriedAlteration } from './alteration-run.ts';
import { tryComparedTrace } from './compared-trace-run.ts';
import { openSelfTestFile } from './self-test-file.ts';
import { TriedSlots } from './trace-run.ts';

const prefix = '            list-7       [000] ...1.    18.454126: ';
const expected = [
  'open: disk=1 note=3',
  'map: iova=0x1000 size=4096',
  'map: iova=0x2000 size=512',
  'done: ret=5',
];
const trace = `# tracer: nop\n${expected.map((line) => prefix + line).join('\n')}\n`;

/** A suite whose model leaves the expected lines; `seen` is what it looks at of a line. */
function tracedSuite(seen: (line: string) => string, sorted = false): Suite {
  const look = (lines: readonly string[]): string => {
    const looked = lines.map(seen);
    return (sorted ? looked.sort() : looked).join('\n');
  };
  return {
    name: 'traced',
    headerless: true,
    accepts: () => true,
    open: (_, context) => ({
      replay(record: JsonRecord): Mismatch[] {
        const lines = (context?.readSibling('trace_a.txt') ?? '')
          .split('\n')
          .filter((line) => line.startsWith(' '))
          .map((line) => line.slice(prefix.length));
        const same = record['lines'] === lines.length && look(lines) === look(expected);
        return same ? [] : [{ field: 'trace', expected: lines, got: expected }];
      },
    }),
    kindOf: () => 'list',
    outputs: { list: ['lines'] },
    comparedTrace: {
      nameOf: ({ stem }) => `trace_${stem}.txt`,
      notCompared: ['open note'],
      ordered: ['map'],
      notCounted: ['open'],
    },
  };
}

function tryAll(suite: Suite, slots: TriedSlots = new TriedSlots()): TriedAlteration[] {
  const [found] = findRecordFiles(temporaryFolder({ 'a.jsonl': '{"lines":4}\n', 'trace_a.txt': trace }));
  const file = found === undefined ? null : openSelfTestFile(found, [suite]);
  if (file === null) throw new Error('the file is not opened');
  return tryComparedTrace(file, new Map([['trace_a.txt', trace]]), slots);
}

const unnoticed = (tried: readonly TriedAlteration[]): string[] =>
  tried
    .filter(({ verdict }) => verdict === 'unnoticed')
    .map(({ shape, alteration }) => `${shape}: ${alteration}`);

test('words, missing lines, repeated lines and order are tried, but for what a suite leaves out', () => {
  const tried = tryAll(tracedSuite((line) => line));
  expect(tried.map(({ line, shape, alteration }) => `${line} ${shape}: ${alteration}`)).toEqual([
    '2 open disk: word changed',
    '3 map iova: word changed',
    '3 map size: word changed',
    '5 done ret: word changed',
    '3 map: line dropped',
    '5 done: line dropped',
    '3 map: line repeated',
    '5 done: line repeated',
    '4 map: lines swapped',
  ]);
  expect(unnoticed(tried)).toEqual([]);
});

test('a word that is not looked at, and an order that is not, are found', () => {
  expect(unnoticed(tryAll(tracedSuite((line) => line.replace(/ size=\S+/, ''))))).toEqual([
    'map size: word changed',
  ]);
  expect(unnoticed(tryAll(tracedSuite((line) => line, true)))).toEqual(['map: lines swapped']);
});

test('a kind of alteration is tried in two files of a folder', () => {
  const slots = new TriedSlots();
  const counts = [1, 2, 3].map(
    () =>
      tryAll(
        tracedSuite((line) => line),
        slots,
      ).length,
  );
  expect(counts).toEqual([9, 9, 0]);
});

test('a suite without such a trace has nothing tried', () => {
  const { comparedTrace: _, ...plain } = tracedSuite((line) => line);
  expect(tryAll(plain)).toEqual([]);
});
