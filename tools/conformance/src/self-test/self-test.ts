// The self-test of the conformance runner: proves on the records at hand that a wrong record would be noticed.
// Three proofs per file: the unaltered file passes; each altered value is noticed at its record; what the model
// computes does not depend on any recorded result.
// Simplified: values are tried by class (see `alteration-plan.ts`), not one by one.

import type { FoundFile } from '../find-record-files.ts';
import type { ProgressLine } from '../progress-line.ts';
import { BrokenFile } from '../record-file.ts';
import type { Suite } from '../suite.ts';
import { AlterationPlan } from './alteration-plan.ts';
import { type TriedAlteration, trySites } from './alteration-run.ts';
import { tryCompanions } from './companion-run.ts';
import { findLeak, type Leak } from './independence.ts';
import { noteFields, type SuiteFields } from './record-fields.ts';
import { openSelfTestFile, type SelfTestFile } from './self-test-file.ts';
import { findTraceLeak } from './trace-leak.ts';
import { TriedSlots } from './trace-run.ts';

/** A file that cannot prove anything. */
export interface UnusableFile {
  readonly file: string;
  readonly message: string;
}

/** Everything the self-test found. */
export interface SelfTestResult {
  readonly files: number;
  readonly skipped: number;
  /** Files with a header and no record, which have nothing to alter. */
  readonly withoutRecords: number;
  readonly unusable: readonly UnusableFile[];
  readonly tried: readonly TriedAlteration[];
  readonly leaks: readonly Leak[];
  readonly suites: ReadonlyMap<string, SuiteFields>;
}

const LEAK_RECORDS = 3000;

function openAll(
  files: readonly FoundFile[],
  suites: readonly Suite[],
  unusable: UnusableFile[],
  progress: ProgressLine,
): { opened: SelfTestFile[]; skipped: number; withoutRecords: number } {
  const opened: SelfTestFile[] = [];
  let skipped = 0;
  let withoutRecords = 0;
  for (const [index, found] of files.entries()) {
    progress.show(`self-test, unaltered ${index + 1}/${files.length} ${found.name}`);
    try {
      const file = openSelfTestFile(found, suites);
      if (file === null) {
        skipped++;
        continue;
      }
      const first = file.firstMismatch();
      if (first !== null)
        unusable.push({ file: found.name, message: `line ${first.line} ${first.field} differs unaltered` });
      else if (file.records.length === 0) withoutRecords++;
      else opened.push(file);
    } catch (error) {
      const message =
        error instanceof BrokenFile ? `line ${error.line} ${error.code}: ${error.message}` : String(error);
      unusable.push({ file: found.name, message });
    }
  }
  return { opened, skipped, withoutRecords };
}

/** Runs the self-test over files; those of the not-modelled list are left out. */
export function runSelfTest(
  files: readonly FoundFile[],
  suites: readonly Suite[],
  progress: ProgressLine,
): SelfTestResult {
  const unusable: UnusableFile[] = [];
  const { opened, skipped, withoutRecords } = openAll(files, suites, unusable, progress);
  const fields = new Map<string, SuiteFields>();
  const plan = new AlterationPlan();
  for (const [number, file] of opened.entries()) {
    noteFields(fields, file);
    plan.addFile(file, number);
  }
  const tried: TriedAlteration[] = [];
  const leaks: Leak[] = [];
  const slots = new TriedSlots();
  for (const [number, file] of opened.entries()) {
    progress.show(`self-test, altered ${number + 1}/${opened.length} ${file.name}`);
    for (const leak of [findLeak(file, LEAK_RECORDS), findTraceLeak(file)])
      if (leak !== null) leaks.push(leak);
    for (const one of trySites(file, plan.sitesOf(number), plan)) tried.push(one);
    tried.push(...tryCompanions(file, slots));
  }
  return { files: opened.length, skipped, withoutRecords, unusable, tried, leaks, suites: fields };
}
