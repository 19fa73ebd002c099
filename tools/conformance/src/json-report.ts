// The report for programs: one JSON document with every file and the key of every mismatch.
// A key is `file:line:field`; it stays the same as long as the records do, so that two runs can be compared.
// Simplified: values are printed as they were recorded; computed bigints become hex strings.

import type { CompanionReport } from './companion-report.ts';
import { toJsonValue } from './printed-value.ts';
import type { FileResult } from './replay-file.ts';
import { countRecords } from './text-report.ts';

/** Version of the document below. */
export const CONFORMANCE_SCHEMA = 'sgfree/conformance/v1';

/** The whole run as one JSON value. */
export function jsonReport(results: readonly FileResult[], companions: CompanionReport): unknown {
  const withoutRecords = results.filter(({ status }) => status === 'no-records').length;
  return {
    schema: CONFORMANCE_SCHEMA,
    summary: { files: results.length, withoutRecords, ...countRecords(results) },
    companions,
    files: results.map((result) => ({
      file: result.file,
      suite: result.suite,
      status: result.status,
      records: result.records,
      passed: result.passed,
      failed: result.failed,
      skipped: result.skipped,
      alsoCompared: result.alsoCompared,
      companions: result.companions,
      reason: result.reason,
      failure: result.failure,
      mismatches: result.mismatches.map((mismatch) => ({
        key: `${result.file}:${mismatch.line}:${mismatch.field}`,
        line: mismatch.line,
        kind: mismatch.kind,
        field: mismatch.field,
        expected: toJsonValue(mismatch.expected),
        got: toJsonValue(mismatch.got),
      })),
    })),
  };
}
