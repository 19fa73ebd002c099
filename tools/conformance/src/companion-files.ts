// Companion files: the traces and the dumps of page tables beside record files. Which of them a replay compared, which of
// the other files beside it were inputs, and which traces and dumps no record file used.
// Source followed: vectors/kernel/README.md, section 2 and "debugfs dumps"; what else lies there is for reading, or describes
// the machine.
// Simplified: traces and dumps are told by their names. Those no file used are looked for where all record files were chosen.

import { readdirSync } from 'node:fs';
import { basename, dirname, join, posix } from 'node:path';
import { type FoundFile, isRecordFile } from './find-record-files.ts';
import type { FileContext } from './suite.ts';

/** What lies beside a record file, by name below the folder of the run, without `.gz`. */
export interface Companions {
  /** Compared with the model. */
  readonly compared: readonly string[];
  /** Fed to the model. */
  readonly inputs: readonly string[];
  /** What the records speak of and what is not there. */
  readonly missing: readonly string[];
}

/** What is in a companion that can be compared. */
export type CompanionKind = 'dump' | 'trace';

/** The kind of a companion; null for files that are no results. */
export function companionKind(name: string): CompanionKind | null {
  const base = posix.basename(name).replace(/\.gz$/, '');
  if (/(^|_)domain_translation_struct(\.txt)?$/.test(base)) return 'dump';
  if (/^pt_\d+\.txt$/.test(base)) return 'dump';
  return /^trace_\w+\.txt$/.test(base) || /_trace\.txt$/.test(base) ? 'trace' : null;
}

/** Name of a companion as seen from the folder of the run. */
export const companionName = (file: string, name: string): string =>
  posix.join(posix.dirname(file), name).replace(/\.gz$/, '');

/** A context that remembers what was found through it. */
export class WatchedContext implements FileContext {
  readonly stem: string;
  readonly compared = new Set<string>();
  readonly inputs = new Set<string>();
  readonly #context: FileContext;

  constructor(context: FileContext) {
    this.#context = context;
    this.stem = context.stem;
  }

  readSibling(relativePath: string): string | null {
    return noted(this.compared, relativePath, this.#context.readSibling(relativePath));
  }

  readInput(relativePath: string): string | null {
    return noted(this.inputs, relativePath, this.#context.readInput(relativePath));
  }

  siblingNames(relativeFolder: string): readonly string[] {
    return this.#context.siblingNames(relativeFolder);
  }
}

function noted(names: Set<string>, name: string, text: string | null): string | null {
  if (text !== null) names.add(name);
  return text;
}

/** A folder as a list of files and one of folders; both empty when it cannot be read. */
function entriesOf(folder: string): { readonly files: string[]; readonly folders: string[] } {
  try {
    const entries = readdirSync(folder, { withFileTypes: true });
    const folders = entries.filter((entry) => entry.isDirectory()).map(({ name }) => name);
    const files = entries.filter((entry) => !entry.isDirectory()).map(({ name }) => name);
    return { files: files.sort(), folders: folders.sort() };
  } catch {
    return { files: [], folders: [] };
  }
}

/** Traces and dumps in a folder and in those below it that hold no record files, as names below it. */
function companionsIn(folder: string, prefix: string): string[] {
  const { files, folders } = entriesOf(folder);
  const records = files.filter((name) => isRecordFile(join(folder, name)));
  if (prefix !== '' && records.length > 0) return [];
  const own = files.filter((name) => !records.includes(name) && companionKind(name) !== null);
  return [
    ...own.map((name) => prefix + name),
    ...folders.flatMap((name) => companionsIn(join(folder, name), `${prefix}${name}/`)),
  ];
}

/** Traces and dumps beside the chosen files that are in none of `used`, sorted. */
export function unusedCompanions(chosen: readonly FoundFile[], used: ReadonlySet<string>): string[] {
  const paths = new Set(chosen.map(({ path }) => path));
  const folders = new Map(chosen.map((file) => [dirname(file.path), file.name]));
  const unused: string[] = [];
  for (const [folder, file] of folders) {
    const records = entriesOf(folder).files.map((name) => join(folder, name));
    if (records.some((path) => isRecordFile(path) && !paths.has(path))) continue;
    for (const name of companionsIn(folder, '')) {
      const full = companionName(file, name);
      if (!used.has(full)) unused.push(full);
    }
  }
  return unused.sort();
}

/** The names by folder: `debugfs/: a.txt, b.txt and 3 more`. */
export function byFolder(names: readonly string[], atMost = 3): string[] {
  const folders = new Map<string, string[]>();
  for (const name of names) {
    const folder = posix.dirname(name);
    folders.set(folder, [...(folders.get(folder) ?? []), name]);
  }
  return [...folders].map(([folder, inside]) => {
    const shown = inside.slice(0, atMost).map((name) => basename(name));
    const more = inside.length > atMost ? ` and ${inside.length - atMost} more` : '';
    return `${folder}/: ${shown.join(', ')}${more}`;
  });
}
