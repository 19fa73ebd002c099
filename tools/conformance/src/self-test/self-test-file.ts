// SelfTestFile: a record file as the self-test uses it, parsed once and replayed many times with one record altered.
// The unaltered replay comes first: nothing after its first mismatch can be used to prove anything.
// Simplified: parsed records are kept for the whole self-test of their file.

import { posix } from 'node:path';
import { chooseSuite } from '../choose-suite.ts';
import { contextOf } from '../file-context.ts';
import type { FoundFile } from '../find-record-files.ts';
import { commandWord } from '../not-modelled.ts';
import { printValue } from '../printed-value.ts';
import { BrokenFile, parseLine, readLines } from '../record-file.ts';
import { type FoundMismatch, finishReplay, openReplayer, replayRecord } from '../replay-file.ts';
import { type FileContext, firstRecordLine, type JsonRecord, type Replayer, type Suite } from '../suite.ts';

const BREAKDOWN = '(breakdown)';

/** A replay that ended early, as one mismatch. */
function asMismatch(error: unknown): FoundMismatch {
  if (!(error instanceof BrokenFile)) throw error;
  return {
    line: error.line,
    kind: BREAKDOWN,
    field: `(${error.code})`,
    expected: 'a result',
    got: error.message,
  };
}

/** True for the mismatch of a replay that ended early. */
export const isBreakdown = ({ kind }: FoundMismatch): boolean => kind === BREAKDOWN;

/** One file of a modelled suite. */
export class SelfTestFile {
  readonly name: string;
  readonly suite: Suite;
  readonly header: JsonRecord;
  readonly records: readonly JsonRecord[];
  readonly context: FileContext;
  /** Texts of the companions that the unaltered replay compared with the model, by name. */
  readonly companions = new Map<string, string>();

  constructor(found: FoundFile, suite: Suite, header: JsonRecord, records: readonly JsonRecord[]) {
    this.name = found.name;
    this.context = contextOf(found.path);
    this.suite = suite;
    this.header = header;
    this.records = records;
  }

  /** Line number of a record index. */
  lineOf(index: number): number {
    return index + firstRecordLine(this.suite);
  }

  /** What tells files of one suite apart whose records mean different things; without a header the folder. */
  variant(): string {
    if (this.suite.headerless === true) return posix.dirname(this.name);
    const words = [this.header['fmt'] ?? commandWord(this.header, 'fmt'), this.header['domain_type']];
    return words
      .filter((word) => word !== undefined && word !== null)
      .map((word) => printValue(word))
      .join('/');
  }

  /** A fresh replayer, with the file's own companions unless others are given. */
  open(context: FileContext = this.context): Replayer {
    return openReplayer(this.suite, this.header, context);
  }

  /** Replays one record, and the end of the file behind the last one; an exception is a mismatch. */
  step(replayer: Replayer, record: JsonRecord, index: number): FoundMismatch[] {
    const found = this.replayOnly(replayer, record, index);
    return index < this.records.length - 1 || found.some(isBreakdown)
      ? found
      : [...found, ...this.endOnly(replayer)];
  }

  /** Replays one record without the end of the file; an exception is a mismatch. */
  replayOnly(replayer: Replayer, record: JsonRecord, index: number): FoundMismatch[] {
    try {
      return replayRecord(this.suite, replayer, record, this.lineOf(index));
    } catch (error) {
      return [asMismatch(error)];
    }
  }

  /** The checks at the end of the file; an exception is a mismatch. */
  endOnly(replayer: Replayer): FoundMismatch[] {
    try {
      return finishReplay(replayer, this.lineOf(this.records.length - 1));
    } catch (error) {
      return [asMismatch(error)];
    }
  }

  /** The first mismatch of the unaltered file, or null; notes the companions that are read. */
  firstMismatch(): FoundMismatch | null {
    const replayer = this.open({
      ...this.context,
      readSibling: (name) => {
        const text = this.context.readSibling(name);
        if (text !== null) this.companions.set(name, text);
        return text;
      },
    });
    for (const [index, record] of this.records.entries()) {
      const [first] = this.step(replayer, record, index);
      if (first !== undefined) return first;
    }
    return this.records.length > 0 ? null : (this.endOnly(replayer)[0] ?? null);
  }
}

/** The file of a modelled suite; null when it is skipped by name; throws {@link BrokenFile}. */
export function openSelfTestFile(found: FoundFile, suites: readonly Suite[]): SelfTestFile | null {
  const lines = readLines(found.path);
  const header = parseLine(lines, 1);
  const choice = chooseSuite(suites, header);
  if (choice.kind === 'skip') return null;
  const first = firstRecordLine(choice.suite);
  const records = lines.slice(first - 1).map((_, index) => parseLine(lines, index + first));
  return new SelfTestFile(found, choice.suite, header, records);
}
