// Record files: everything below a folder that is named `.jsonl` or `.jsonl.gz`, in any layout, and traces that have
// dumps of the page tables at their end beside them.
// Source followed: the two READMEs of `vectors/`; every other file there is a companion of a record file.
// Simplified: links to folders are followed once, so a folder that contains itself ends the walk.

import { readdirSync, realpathSync, statSync } from 'node:fs';
import { basename, join } from 'node:path';
import { isDumpedTrace } from './dumped-trace.ts';

/** A record file, and its name below the folder that was asked for (always with `/`). */
export interface FoundFile {
  readonly path: string;
  readonly name: string;
}

const recordName = /\.jsonl(\.gz)?$/i;

/** True for a file that is replayed by itself. */
export const isRecordFile = (path: string): boolean => recordName.test(basename(path)) || isDumpedTrace(path);

/** The record files below a folder, or the one file named, sorted by name. */
export function findRecordFiles(root: string): FoundFile[] {
  if (statSync(root).isFile()) return [{ path: root, name: basename(root) }];
  const found: FoundFile[] = [];
  const seen = new Set<string>();
  const walk = (folder: string, prefix: string): void => {
    const real = realpathSync(folder);
    if (seen.has(real)) return;
    seen.add(real);
    for (const entry of readdirSync(folder).sort()) {
      const path = join(folder, entry);
      const stat = statSync(path, { throwIfNoEntry: false });
      if (stat?.isDirectory()) walk(path, `${prefix}${entry}/`);
      else if (isRecordFile(path)) found.push({ path, name: prefix + entry });
    }
  };
  walk(root, '');
  return found.sort((a, b) => (a.name < b.name ? -1 : a.name > b.name ? 1 : 0));
}

/** Name of a record file without folder and endings. */
export function stemOf(name: string): string {
  return basename(name).replace(recordName, '');
}
