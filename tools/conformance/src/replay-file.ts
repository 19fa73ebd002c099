// Replays one record file: records go to a fresh replayer in order, and what it did not reproduce is kept.
// Counting: a record with a mismatch failed. After a line that cannot be replayed the state of the model is unknown,
// so that line and all after it failed. A file that cannot be replayed at all has at least one failed record; one of a
// good header and nothing else has none.
// Simplified: every mismatch is kept, however many there are.

import { chooseSuite } from './choose-suite.ts';
import { type Companions, companionName, WatchedContext } from './companion-files.ts';
import { dumpNamesOf } from './dumped-trace.ts';
import { contextOf } from './file-context.ts';
import type { FoundFile } from './find-record-files.ts';
import type { NotModelled } from './not-modelled.ts';
import { BrokenFile, type FileFailureCode, parseLine, readLines } from './record-file.ts';
import { MalformedValue } from './recorded-value.ts';
import {
  BrokenHeader,
  type ComparedAmount,
  type FileContext,
  firstRecordLine,
  type JsonRecord,
  type Mismatch,
  type Replayer,
  type Suite,
} from './suite.ts';

/** One field of one record that the model did not reproduce. */
export interface FoundMismatch extends Mismatch {
  readonly line: number;
  readonly kind: string;
}

/** What became of one file. */
export interface FileResult {
  readonly file: string;
  /** Suite that replayed it, entry of the not-modelled list, or null when neither was found. */
  readonly suite: string | null;
  readonly status: 'passed' | 'failed' | 'skipped' | 'no-records';
  /** Lines that hold a record. */
  readonly records: number;
  readonly passed: number;
  readonly failed: number;
  readonly skipped: number;
  /** What was compared besides the records, e.g. `714 of 714 trace lines`; null when nothing was. */
  readonly alsoCompared: string | null;
  readonly amounts: readonly ComparedAmount[];
  readonly companions: Companions;
  /** Why a file was skipped. */
  readonly reason: string | null;
  /** Why a file could not be replayed to its end. */
  readonly failure: {
    readonly code: FileFailureCode;
    readonly line: number;
    readonly message: string;
  } | null;
  readonly mismatches: readonly FoundMismatch[];
}

/** Opens a replayer; whatever a suite throws for a header is a broken header. */
export function openReplayer(suite: Suite, header: JsonRecord, context: FileContext): Replayer {
  try {
    return suite.open(header, context);
  } catch (error) {
    const isKnown = error instanceof BrokenHeader || error instanceof MalformedValue;
    const message = isKnown ? error.message : `the header is refused: ${String(error)}`;
    const isOutside = error instanceof MalformedValue && error.isOutsideModel;
    throw new BrokenFile(isOutside ? 'outside-model' : 'broken-header', 1, message);
  }
}

/** Replays one record; whatever the replayer throws is a failure of this line. */
export function replayRecord(
  suite: Suite,
  replayer: Replayer,
  record: JsonRecord,
  line: number,
): FoundMismatch[] {
  const kind = suite.kindOf(record);
  if (!Object.hasOwn(suite.outputs, kind)) {
    throw new BrokenFile('broken-line', line, `${suite.name} has no records of kind ${JSON.stringify(kind)}`);
  }
  try {
    return replayer.replay(record).map((mismatch) => ({ ...mismatch, line, kind }));
  } catch (error) {
    if (error instanceof MalformedValue) {
      const code = error.isOutsideModel ? 'outside-model' : 'broken-line';
      throw new BrokenFile(code, line, `${kind}: ${error.message}`);
    }
    throw new BrokenFile('replay-error', line, `${kind}: ${describeError(error)}`);
  }
}

/** Name, message and innermost place of an error, without the folders above the repository. */
function describeError(error: unknown): string {
  if (!(error instanceof Error)) return String(error);
  const place = /\n\s+at .*?((?:packages|tools)\/[^)\s]+)/.exec(error.stack ?? '')?.[1];
  return `${error.name}: ${error.message}${place === undefined ? '' : ` (${place})`}`;
}

class FileTally {
  suite: string | null = null;
  skipReason: string | null = null;
  amounts: readonly ComparedAmount[] = [];
  missing: readonly string[] = [];
  /** What the replay found beside the file, by name seen from its folder. */
  beside: { readonly compared: Iterable<string>; readonly inputs: Iterable<string> } | null = null;
  records = 0;
  passed = 0;
  failure: FileResult['failure'] = null;
  readonly mismatches: FoundMismatch[] = [];
  readonly file: string;

  constructor(file: string) {
    this.file = file;
  }

  /** Whatever was thrown is a failure of this file, never the end of the run. */
  note(error: unknown): void {
    const { code, line, message } =
      error instanceof BrokenFile ? error : new BrokenFile('replay-error', 0, describeError(error));
    this.failure = { code, line, message };
  }

  result(): FileResult {
    const skipped = this.skipReason !== null && this.failure === null;
    const isBroken = this.failure !== null || this.mismatches.length > 0;
    const failed = skipped ? 0 : Math.max(this.records - this.passed, isBroken ? 1 : 0);
    return {
      file: this.file,
      suite: this.suite,
      status: skipped ? 'skipped' : failed > 0 ? 'failed' : this.records > 0 ? 'passed' : 'no-records',
      records: this.records,
      passed: this.passed,
      failed,
      skipped: skipped ? this.records : 0,
      alsoCompared: this.amounts.length === 0 ? null : this.amounts.map(printedAmount).join(', '),
      amounts: this.amounts,
      companions: this.#companions(),
      reason: skipped ? this.skipReason : null,
      failure: this.failure,
      mismatches: this.mismatches,
    };
  }

  #companions(): Companions {
    const named = (names: Iterable<string>): string[] =>
      [...names].map((name) => companionName(this.file, name)).sort();
    const compared = named(this.beside?.compared ?? []);
    const inputs = named(this.beside?.inputs ?? []).filter((name) => !compared.includes(name));
    return { compared, inputs, missing: this.missing };
  }
}

const printedAmount = ({ what, same, of, note }: ComparedAmount): string =>
  `${same} of ${of} ${what}${note === undefined ? '' : `, ${note}`}`;

/** Replays one file; what is wrong with it is in the result. */
export function replayFile(found: FoundFile, suites: readonly Suite[]): FileResult {
  const tally = new FileTally(found.name);
  try {
    const lines = readLines(found.path);
    tally.records = lines.length - 1;
    const header = parseLine(lines, 1);
    const choice = chooseSuite(suites, header);
    if (choice.kind === 'skip') skipLines(tally, choice.entry, lines);
    else replayLines(tally, choice.suite, header, lines, found.path);
  } catch (error) {
    tally.note(error);
  }
  return tally.result();
}

function skipLines(tally: FileTally, entry: NotModelled, lines: readonly string[]): void {
  tally.suite = entry.name;
  if (entry.headerless) tally.records = lines.length;
  for (let line = 2; line <= lines.length; line++) parseLine(lines, line);
  tally.skipReason = entry.reason;
}

function replayLines(
  tally: FileTally,
  suite: Suite,
  header: JsonRecord,
  lines: readonly string[],
  path: string,
): void {
  tally.suite = suite.name;
  const first = firstRecordLine(suite);
  tally.records = lines.length + 1 - first;
  const context = new WatchedContext(contextOf(path));
  for (const name of dumpNamesOf(path)) context.compared.add(name);
  tally.beside = context;
  const replayer = openReplayer(suite, header, context);
  // A recorder that finds nothing to do writes a header alone; nothing may be left behind all the same.
  if (tally.records === 0) tally.mismatches.push(...finishReplay(replayer, 1));
  for (let line = first; line <= lines.length; line++) {
    const mismatches = replayRecord(suite, replayer, parseLine(lines, line), line);
    for (const mismatch of mismatches) tally.mismatches.push(mismatch);
    const atEnd = line === lines.length ? finishReplay(replayer, line) : [];
    for (const mismatch of atEnd) tally.mismatches.push(mismatch);
    if (mismatches.length + atEnd.length === 0) tally.passed++;
  }
  tally.amounts = replayer.alsoCompared?.() ?? [];
  tally.missing = replayer.missing?.() ?? [];
}

/** The checks at the end of a file, as mismatches of its last line. */
export function finishReplay(replayer: Replayer, line: number): FoundMismatch[] {
  try {
    return (replayer.finish?.() ?? []).map((mismatch) => ({ ...mismatch, line, kind: 'end of file' }));
  } catch (error) {
    throw new BrokenFile('replay-error', line, `end of file: ${describeError(error)}`);
  }
}

/** True when the name of a file, or of the suite it belongs to, contains a text (any case). */
export function matchesFilter(found: FoundFile, suites: readonly Suite[], filter: string): boolean {
  const part = filter.toLowerCase();
  if (found.name.toLowerCase().includes(part)) return true;
  try {
    const choice = chooseSuite(suites, parseLine(readLines(found.path), 1));
    const name = choice.kind === 'skip' ? choice.entry.name : choice.suite.name;
    return name.toLowerCase().includes(part);
  } catch {
    return false;
  }
}
