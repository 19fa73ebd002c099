// Independence: no recorded output may flow into the model. All outputs of all records of a file are displaced at
// once, in two runs by different steps; what the model computes must be the same in both, because its inputs were.
// The steps change from record to record, so that a result carried over does not fit the next one by accident.
// Simplified: only values are displaced, lists keep their length and nulls stay, so that records stay readable.

import { printValue } from '../printed-value.ts';
import type { FoundMismatch } from '../replay-file.ts';
import type { JsonRecord } from '../suite.ts';
import { displaced } from './alteration.ts';
import { locate, valueAt, withValueAt } from './output-path.ts';
import type { SelfTestFile } from './self-test-file.ts';

/** A record whose computed results depend on recorded ones. */
export interface Leak {
  readonly suite: string;
  readonly kind: string;
  readonly file: string;
  readonly line: number;
  readonly field: string;
  readonly first: unknown;
  readonly second: unknown;
}

function displaceOutputs(file: SelfTestFile, record: JsonRecord, steps: number): JsonRecord {
  let altered = record;
  for (const output of file.suite.outputs[file.suite.kindOf(record)] ?? []) {
    for (const location of locate(record, output)) {
      altered = withValueAt(altered, location, displaced(valueAt(record, location), steps));
    }
  }
  return altered;
}

function computed(mismatches: readonly FoundMismatch[]): string {
  return printValue(
    mismatches.map(({ field, got }) => [field, got]),
    Number.MAX_SAFE_INTEGER,
  );
}

/** The first record of a file at which two displaced runs compute different things, or null. */
export function findLeak(file: SelfTestFile, recordLimit: number): Leak | null {
  const [one, two] = [file.open(), file.open()];
  for (const [index, record] of file.records.slice(0, recordLimit).entries()) {
    const first = file.step(one, displaceOutputs(file, record, 1 + ((index * 37) % 97)), index);
    const second = file.step(two, displaceOutputs(file, record, 101 + ((index * 53) % 89)), index);
    const differing = first.findIndex(
      (mismatch, at) => computed([mismatch]) !== computed(second.slice(at, at + 1)),
    );
    if (differing < 0 && first.length === second.length) continue;
    const at = Math.max(differing, 0);
    return {
      suite: file.suite.name,
      kind: file.suite.kindOf(record),
      file: file.name,
      line: file.lineOf(index),
      field: first[at]?.field ?? second[at]?.field ?? '',
      first: first[at]?.got,
      second: second[at]?.got,
    };
  }
  return null;
}
