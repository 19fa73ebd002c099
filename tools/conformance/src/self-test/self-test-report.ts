// The report of the self-test: per suite and record kind what is compared and what is not, then every alteration that
// went unnoticed, every result that leaked into the model and every file that proves nothing.
// Simplified: noticed alterations are counted, not listed.

import { printValue, toJsonValue } from '../printed-value.ts';
import type { SelfTestResult } from './self-test.ts';

/** Version of the JSON document. */
export const SELF_TEST_SCHEMA = 'sgfree/conformance-self-test/v1';

/** The report in both forms. */
export interface PrintedSelfTest {
  readonly lines: string[];
  readonly json: unknown;
  readonly passed: boolean;
}

function suiteLines(result: SelfTestResult): string[] {
  const lines: string[] = [];
  for (const [name, suite] of result.suites) {
    lines.push(`suite ${name}: ${suite.files} files`, `  header: ${[...suite.headerFields].join(' ')}`);
    for (const [kind, fields] of suite.kinds) {
      const missing = fields.outputs.filter((output) => !fields.exercised.has(output));
      lines.push(`  ${kind}: ${fields.records} records`);
      lines.push(`    outputs: ${[...fields.exercised].join(' ') || '(none)'}`);
      lines.push(`    inputs: ${[...fields.inputs].join(' ') || '(none)'}`);
      if (missing.length > 0) lines.push(`    not exercised: ${missing.join(' ')}`);
    }
  }
  return lines;
}

/** Prints a self-test. */
export function selfTestReport(result: SelfTestResult): PrintedSelfTest {
  const missed = result.tried.filter(({ verdict }) => verdict !== 'noticed');
  const noticed = result.tried.length - missed.length;
  const faults = missed.length + result.leaks.length + result.unusable.length;
  const passed = faults === 0 && result.files + result.skipped > 0;
  const lines = [
    ...suiteLines(result),
    ...result.unusable.map(({ file, message }) => `UNUSABLE ${file}: ${message}`),
    ...result.leaks.map(
      (leak) =>
        `LEAK ${leak.suite} ${leak.kind} ${leak.field}: ${leak.file} line ${leak.line}: recorded results change ` +
        `what is computed (${printValue(leak.first)} or ${printValue(leak.second)})`,
    ),
    ...missed.map(
      (one) =>
        `${one.verdict === 'unnoticed' ? 'UNNOTICED' : 'UNSTABLE'} ${one.suite} ${one.kind} ${one.path} ` +
        `(${one.shape}, ${one.alteration}): ${one.file} line ${one.line}: ` +
        `${printValue(one.recorded, 60)} altered to ${printValue(one.altered, 60)}`,
    ),
    `self-test: ${result.files} files, ${noticed} alterations noticed, ${missed.length} not noticed, ` +
      `${result.leaks.length} leaks, ${result.unusable.length} files unusable, ${result.skipped} files not modelled yet, ` +
      `${result.withoutRecords} without records`,
  ];
  return { lines, json: selfTestJson(result, noticed, missed.length), passed };
}

function selfTestJson(result: SelfTestResult, noticed: number, missed: number): unknown {
  return {
    schema: SELF_TEST_SCHEMA,
    summary: {
      files: result.files,
      noticed,
      missed,
      leaks: result.leaks.length,
      unusable: result.unusable.length,
      skippedFiles: result.skipped,
      withoutRecords: result.withoutRecords,
    },
    suites: [...result.suites].map(([name, suite]) => ({
      suite: name,
      files: suite.files,
      headerFields: [...suite.headerFields],
      kinds: [...suite.kinds].map(([kind, fields]) => ({
        kind,
        records: fields.records,
        outputs: [...fields.exercised],
        inputs: [...fields.inputs],
        notExercised: fields.outputs.filter((output) => !fields.exercised.has(output)),
      })),
    })),
    missed: toJsonValue(result.tried.filter(({ verdict }) => verdict !== 'noticed')),
    leaks: toJsonValue(result.leaks),
    unusable: result.unusable,
  };
}
