import { expect, test } from 'vitest';
import { findRecordFiles } from '../find-record-files.ts';
import type { JsonRecord, Mismatch, Suite } from '../suite.ts';
import { temporaryFolder } from '../temporary-folder.ts';
import { AlterationPlan } from './alteration-plan.ts';
import { type TriedAlteration, trySites } from './alteration-run.ts';
import { openSelfTestFile } from './self-test-file.ts';

interface Meter {
  /** What the next `look` shows. */
  value: number;
  looks: number;
  replayed: number;
}

/** A suite of one number: `step` adds to it, `look` shows it, `looks` says how often it was looked at. */
function meterSuite(
  judge: (field: string, expected: unknown, got: unknown) => Mismatch[],
  opened: Meter[] = [],
): Suite {
  return {
    name: 'meter',
    accepts: () => true,
    open: () => {
      const meter: Meter = { value: 0, looks: 0, replayed: 0 };
      opened.push(meter);
      return {
        replay(record: JsonRecord): Mismatch[] {
          meter.replayed += 1;
          if (record['op'] === 'look') {
            meter.looks += 1;
            return judge('value', record['value'], meter.value);
          }
          if (record['op'] === 'looks') return judge('count', record['count'], meter.looks);
          meter.value += 1;
          return judge('now', record['now'], meter.value);
        },
      };
    },
    kindOf: (record) => String(record['op']),
    outputs: { step: ['now'], look: ['value'], looks: ['count'] },
  };
}

const exact = (field: string, expected: unknown, got: unknown): Mismatch[] =>
  expected === got ? [] : [{ field, expected, got }];

function tryAll(suite: Suite, records: readonly JsonRecord[]): TriedAlteration[] {
  const lines = [{ suite: 'meter' }, ...records].map((line) => JSON.stringify(line));
  const [found] = findRecordFiles(temporaryFolder({ 'a.jsonl': `${lines.join('\n')}\n` }));
  const file = found === undefined ? null : openSelfTestFile(found, [suite]);
  if (file === null) throw new Error('the file is not opened');
  const plan = new AlterationPlan();
  plan.addFile(file, 0);
  return trySites(file, plan.sitesOf(0), plan);
}

const verdicts = (tried: readonly TriedAlteration[]): string[] =>
  tried.map(({ line, path, alteration, verdict }) => `${line} ${path} ${alteration}: ${verdict}`).sort();

const looks = { op: 'look', value: 1 };
const meterFile = [{ op: 'step', now: 1 }, looks, { op: 'step', now: 2 }, { op: 'look', value: 2 }];

test('every alteration is tried once, and none depends on another', () => {
  const tried = tryAll(meterSuite(exact), meterFile);
  expect(new Set(verdicts(tried)).size).toBe(tried.length);
  expect(tried).toHaveLength(8);
  expect(tried.every(({ verdict }) => verdict === 'noticed')).toBe(true);
});

test('a record that changes nothing is altered again and again in one replay', () => {
  const opened: Meter[] = [];
  const file = [
    ...Array.from({ length: 50 }, (_, at) => ({ op: 'step', now: at + 1 })),
    { op: 'look', value: 50 },
  ];
  tryAll(meterSuite(exact, opened), file);
  expect(opened.filter(({ looks }) => looks > 0).map(({ looks }) => looks)).toEqual([7]);
});

test('a record that cannot be read ends its replay and spoils nothing', () => {
  const strict = meterSuite((field, expected, got) => {
    if (expected === null) throw new RangeError('nothing recorded');
    return exact(field, expected, got);
  });
  expect(verdicts(tryAll(strict, meterFile))).toEqual(verdicts(tryAll(meterSuite(exact), meterFile)));
});

test('a repetition that is seen only later is taken back', () => {
  const file = [...meterFile, { op: 'looks', count: 2 }];
  const tried = tryAll(meterSuite(exact), file);
  expect(tried).toHaveLength(12);
  expect(tried.every(({ verdict }) => verdict === 'noticed')).toBe(true);
});

test('what a lenient comparison lets pass is found at its record', () => {
  const lenient = meterSuite((field, expected, got) =>
    field === 'value' ? [] : exact(field, expected, got),
  );
  const unnoticed = tryAll(lenient, meterFile).filter(({ verdict }) => verdict === 'unnoticed');
  expect(new Set(unnoticed.map(({ path }) => path))).toEqual(new Set(['value']));
  expect(unnoticed).toHaveLength(4);
});

test('what lies behind a record that fails unaltered proves nothing', () => {
  const quiet = { op: 'look', value: 9 };
  const suite = { ...meterSuite(exact), outputs: { step: ['now'], look: [], looks: [] } };
  const tried = tryAll(suite, [quiet, { op: 'step', now: 1 }]);
  expect(tried.map(({ verdict }) => verdict)).toEqual(Array(4).fill('prefix fails'));
});
