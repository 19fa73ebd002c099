// FileContext on disk: the companion files beside a record file (debugfs dumps, traces), found by relative name.
// Source followed: the README of the kernel records, "debugfs dumps"; large companions are stored with `.gz`.
// Simplified: a companion that cannot be read counts as missing.

import { readdirSync } from 'node:fs';
import { dirname, isAbsolute, join } from 'node:path';
import { stemOf } from './find-record-files.ts';
import { readText } from './record-file.ts';
import type { FileContext } from './suite.ts';

/** The context of one record file. */
export function contextOf(path: string): FileContext {
  const folder = dirname(path);
  const read = (name: string): string | null => {
    try {
      return readText(join(folder, name));
    } catch {
      return null;
    }
  };
  const readBeside = (name: string): string | null =>
    isAbsolute(name) ? null : (read(name) ?? read(`${name}.gz`));
  return {
    stem: stemOf(path),
    readSibling: readBeside,
    readInput: readBeside,
    siblingNames: (name) => {
      try {
        return readdirSync(join(folder, name))
          .map((entry) => entry.replace(/\.gz$/, ''))
          .sort();
      } catch {
        return [];
      }
    },
  };
}
