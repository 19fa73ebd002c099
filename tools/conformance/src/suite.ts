// Suite: how one family of recorded files is replayed. The runner knows only this interface.
// A suite opens one fresh replayer per file; the replayer feeds each record's inputs to the model and compares
// every recorded output field. Nothing recorded as an output may flow into the model.

/** A parsed line of a record file. */
export type JsonRecord = { readonly [field: string]: unknown };

/** One output field that the model did not reproduce. */
export interface Mismatch {
  readonly field: string;
  readonly expected: unknown;
  readonly got: unknown;
}

/** How much of what lies beside the records agreed, e.g. 714 of 714 `trace lines`. */
export interface ComparedAmount {
  readonly what: string;
  readonly same: number;
  readonly of: number;
  /** What else is to be told. */
  readonly note?: string;
}

/** The model side of one file; records arrive in order. */
export interface Replayer {
  /** Replays one record; an empty list means that every output field agreed. Throws MalformedValue for an input. */
  replay(record: JsonRecord): readonly Mismatch[];
  /** Checks that belong to no single record (teardown); counted with the last record. */
  finish?(): readonly Mismatch[];
  /** What was compared besides the records, for the report; none when nothing was. */
  alsoCompared?(): readonly ComparedAmount[];
  /** What the records say was recorded beside them and what is not there, by name. */
  missing?(): readonly string[];
}

/** A header that lacks what the suite needs, or contradicts itself. */
export class BrokenHeader extends Error {
  override readonly name = 'BrokenHeader';
}

/** What a replayer may know of the file it replays besides its header: the files recorded beside it. */
export interface FileContext {
  /** Name of the file without folder, `.jsonl` and `.gz`, e.g. `map_06_keep_live`. */
  readonly stem: string;
  /** Text of a companion file, relative to the folder of this one, with or without `.gz`; null when there is none. */
  readSibling(relativePath: string): string | null;
  /** As {@link FileContext.readSibling}, of a file that is an input: not compared with the model but fed to it. */
  readInput(relativePath: string): string | null;
  /** Names of the files in a folder relative to the folder of this one, `.gz` removed, sorted. */
  siblingNames(relativeFolder: string): readonly string[];
}

/** A trace beside each file of a suite in which every word behind an event's name is compared, but for a few. */
export interface ComparedTrace {
  /** Its name beside the file. */
  nameOf(context: FileContext): string;
  /** Words that are not compared, as `event key`. */
  readonly notCompared: readonly string[];
  /** Events whose lines must stand in their order. */
  readonly ordered: readonly string[];
  /** Events of which a line may be missing or stand twice. */
  readonly notCounted: readonly string[];
}

/** Line of the first record of a file, 1-based. */
export const firstRecordLine = (suite: Suite): number => (suite.headerless === true ? 1 : 2);

export interface Suite {
  /** Printed name, e.g. `iova-golden/1` or `map`. */
  readonly name: string;
  /** True when the format has no header line: line 1 is a record, and it stands for the header below. */
  readonly headerless?: true;
  /** True when a file with this header belongs here. */
  accepts(header: JsonRecord): boolean;
  /** A fresh replayer; throws {@link BrokenHeader}, or MalformedValue for a field. Without a context there are no companion files. */
  open(header: JsonRecord, context?: FileContext): Replayer;
  /** The kind of a record, e.g. its `op`; an unlisted word for something that is no record. */
  kindOf(record: JsonRecord): string;
  /**
   * Recorded output fields by record kind. The self-test alters each one (and each leaf inside it) and demands a
   * mismatch. A field that some records of the kind lack is altered where it is present. `calls[].ret` names a
   * field of each element of a list, `state.depot` a field of an object. Every kind is listed, with an empty list
   * when nothing is recorded of it: a record of an unlisted kind fails.
   */
  readonly outputs: Readonly<Record<string, readonly string[]>>;
  /** The trace beside a file whose lines are results too; the self-test alters it word by word. */
  readonly comparedTrace?: ComparedTrace;
}
