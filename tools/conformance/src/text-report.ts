// The report for people: one line per file, then what was skipped by name, what lay beside the files, and the counts of
// records.
// Simplified: of a file's mismatches only the first is shown; `--json` has all of them.

import type picocolors from 'picocolors';
import { type CompanionReport, companionLines } from './companion-report.ts';
import { printValue } from './printed-value.ts';
import type { FileResult } from './replay-file.ts';

/** The colour functions of one stream. */
export type Colors = ReturnType<typeof picocolors.createColors>;

/** Counts of records over all files. */
export interface RecordCounts {
  readonly passed: number;
  readonly failed: number;
  readonly skipped: number;
}

/** Sums the records of all files. */
export function countRecords(results: readonly FileResult[]): RecordCounts {
  let passed = 0;
  let failed = 0;
  let skipped = 0;
  for (const result of results) {
    passed += result.passed;
    failed += result.failed;
    skipped += result.skipped;
  }
  return { passed, failed, skipped };
}

/** The line of one file. */
export function fileLine(result: FileResult, colors: Colors): string {
  const suite = (result.suite ?? '?').padEnd(14);
  if (result.status === 'skipped') {
    return `${colors.yellow('skip')} ${suite} ${result.file}  ${result.records} records`;
  }
  const also = result.alsoCompared === null ? '' : ` + ${result.alsoCompared}`;
  if (result.status === 'no-records')
    return `${colors.yellow('none')} ${suite} ${result.file}  no records${also}`;
  const counts = `${result.passed}/${result.records}${also}`;
  if (result.status === 'passed') return `${colors.green('pass')} ${suite} ${result.file}  ${counts}`;
  return `${colors.red('FAIL')} ${suite} ${result.file}  ${counts}  ${firstProblem(result)}`;
}

function firstProblem(result: FileResult): string {
  const [first] = result.mismatches;
  const parts: string[] = [];
  if (first !== undefined) {
    parts.push(
      `line ${first.line} (${first.kind}) ${first.field}: ` +
        `expected ${printValue(first.expected)}, got ${printValue(first.got)}`,
    );
  }
  if (result.failure !== null) {
    parts.push(`line ${result.failure.line} ${result.failure.code}: ${result.failure.message}`);
  }
  return parts.join('; ');
}

/** The lines after the last file: skipped kinds by name, what lies beside the files, then the counts. */
export function closingLines(
  results: readonly FileResult[],
  companions: CompanionReport,
  colors: Colors,
): string[] {
  const skipped = new Map<string, { files: number; records: number; reason: string }>();
  for (const result of results) {
    if (result.status !== 'skipped' || result.suite === null) continue;
    const entry = skipped.get(result.suite) ?? { files: 0, records: 0, reason: result.reason ?? '' };
    entry.files++;
    entry.records += result.records;
    skipped.set(result.suite, entry);
  }
  const lines = [...skipped].map(
    ([name, entry]) =>
      `not modelled yet: ${name}, ${entry.files} files, ${entry.records} records (${entry.reason})`,
  );
  const { passed, failed, skipped: left } = countRecords(results);
  const counts = `${passed} passed, ${failed} failed, ${left} skipped`;
  const beside = companionLines(companions);
  return [...lines, ...beside, failed > 0 ? colors.red(counts) : counts];
}
