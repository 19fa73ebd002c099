import { expect, test } from 'vitest';
import { findRecordFiles } from '../find-record-files.ts';
import { temporaryFolder } from '../temporary-folder.ts';
import { type ToyFlaw, toySuite, toyText } from '../toy-suite.ts';
import { runSelfTest, type SelfTestResult } from './self-test.ts';
import { selfTestReport } from './self-test-report.ts';

const silent = { show: (): void => {}, clear: (): void => {} };

function selfTest(flaw: ToyFlaw | null, files: Record<string, string>): SelfTestResult {
  return runSelfTest(findRecordFiles(temporaryFolder(files)), [toySuite(flaw)], silent);
}

const files = { 'a.jsonl': toyText([5, 0, -5, 7]), 'b.jsonl': toyText([1, 2], 100) };
const missed = (result: SelfTestResult): string[] => [
  ...new Set(
    result.tried
      .filter(({ verdict }) => verdict === 'unnoticed')
      .map(({ kind, path, alteration }) => `${kind} ${path} ${alteration}`),
  ),
];

test('a strict suite notices every alteration and keeps its results to itself', () => {
  const result = selfTest(null, files);
  expect(missed(result)).toEqual([]);
  expect(result.leaks).toEqual([]);
  expect(result.unusable).toEqual([]);
  expect(selfTestReport(result).passed).toBe(true);
  const tried = new Set(result.tried.map(({ path, shape, alteration }) => `${path} ${shape} ${alteration}`));
  for (const one of [
    'sum zero plus 1',
    'sum positive plus 2^32',
    'hex hex plus 1',
    'hex zero made null',
    'values empty filled 1',
    'values many element dropped',
    'values many elements swapped',
    'values[3] positive plus 1',
  ]) {
    expect(tried).toContain(one);
  }
});

test('a field that is not compared is found', () => {
  expect(missed(selfTest('ignores hex', files))).toContain('add hex plus 1');
});

test('a comparison in 32 bits is found', () => {
  expect(missed(selfTest('compares 32 bits', files))).toEqual(['add sum plus 2^32']);
});

test('a comparison that stops at the shorter list is found', () => {
  const found = missed(selfTest('ignores extra elements', files));
  expect(found).toContain('history values element appended');
  expect(found).toContain('history values filled 1');
});

test('a recorded result that flows into the model is found', () => {
  const result = selfTest('adopts the recorded sum', files);
  expect(result.leaks).toMatchObject([
    { suite: 'toy', kind: 'add', field: 'sum' },
    { suite: 'toy', kind: 'add', field: 'sum' },
  ]);
  expect(selfTestReport(result).passed).toBe(false);
});

test('a file that differs unaltered proves nothing and fails the self-test', () => {
  const result = selfTest(null, { 'a.jsonl': toyText([1]).replace('"sum":1', '"sum":2') });
  expect(result.unusable).toHaveLength(1);
  expect(selfTestReport(result).passed).toBe(false);
});

test('a broken file and a suite that throws are unusable files, not the end of the self-test', () => {
  const broken = selfTest(null, { 'a.jsonl': '{"suite":"toy","start":0}\n{"op"\n', 'b.jsonl': toyText([1]) });
  expect(broken).toMatchObject({ files: 1, unusable: [{ file: 'a.jsonl' }] });
  const found = findRecordFiles(temporaryFolder(files));
  const throwing = { ...toySuite(), kindOf: (): string => JSON.parse('no record') };
  expect(runSelfTest(found, [throwing], silent)).toMatchObject({ files: 0, unusable: [{}, {}] });
});

test('inputs, header fields and outputs that never occur are listed', () => {
  const report = selfTestReport(selfTest(null, { 'a.jsonl': toyText([1]).replaceAll(',"hex":"0x1"', '') }));
  expect(report.lines.join('\n')).toMatch(/UNUSABLE/);
  const lines = selfTestReport(selfTest(null, files)).lines;
  expect(lines).toContain('  header: suite start');
  expect(lines).toContain('    inputs: op by');
  const noAdd = selfTest(null, { 'a.jsonl': toyText([]) });
  expect(selfTestReport(noAdd).lines).toContain('    not exercised: sum hex');
});

test('alterations of a companion file are noticed', () => {
  const withDump = { 'a.jsonl': toyText([1, 2]), 'dumps/a.txt': '3\n' };
  const result = selfTest(null, withDump);
  const companions = result.tried.filter(({ kind }) => kind === 'companion');
  expect(companions).toHaveLength(5);
  expect(companions.map(({ verdict }) => verdict)).toEqual(Array(5).fill('noticed'));
});
