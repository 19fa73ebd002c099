// DumpedTrace: a kernel trace with the page tables at its end beside it, as a record file. `trace_NAME.txt` is the input;
// the folder `iommu_at_NAME` holds one dump for each device, and each row of a dump is a record.
// Source followed: vectors/kernel/README.md, "debugfs dumps" and section 3, row "io trace_boot vs iommu_at_boot": of a row
// only the page frame and the entry are comparable, not the addresses of table pages above it.
// Simplified: the records are made up as lines of JSON, so that the runner and its self-test treat them like those of other files.

import { readdirSync } from 'node:fs';
import { basename, dirname, join } from 'node:path';
import { type DumpRow, dumpRows } from './suites/map-debugfs.ts';

const TRACE = /^(trace_(\w+)\.txt)(\.gz)?$/i;
const DUMP = /_domain_translation_struct(\.gz)?$/;
const DEVICE = /^Device (\S+)/gm;
const NO_ENTRY = /^0x0*$/;

/** The folder with dumps that belongs to a trace, and the names in it; null when the file is no such trace. */
function dumpsOf(path: string): { readonly folder: string; readonly names: readonly string[] } | null {
  const [, , name] = TRACE.exec(basename(path)) ?? [];
  if (name === undefined) return null;
  const folder = join(dirname(path), `iommu_at_${name}`);
  try {
    const names = readdirSync(folder).filter((entry) => DUMP.test(entry));
    return names.length === 0 ? null : { folder, names: names.sort() };
  } catch {
    return null;
  }
}

/** True for a trace that has dumps of page tables beside it. */
export const isDumpedTrace = (path: string): boolean => dumpsOf(path) !== null;

/** Names of the dumps of a dumped trace, seen from its folder; none for another file. */
export function dumpNamesOf(path: string): string[] {
  const dumps = dumpsOf(path);
  return dumps === null ? [] : dumps.names.map((name) => `${basename(dumps.folder)}/${name}`);
}

/** The lines of a dumped trace: a header, then for each device a line of its number of rows and one for each row. */
export function dumpedTraceLines(path: string, readText: (path: string) => string): string[] | null {
  const dumps = dumpsOf(path);
  if (dumps === null) return null;
  const trace = basename(path).replace(/\.gz$/i, '');
  const records: object[] = [{ suite: 'dumped_trace', trace }];
  for (const name of dumps.names) {
    const text = readText(join(dumps.folder, name));
    for (const device of new Set([...text.matchAll(DEVICE)].map(([, dev]) => dev ?? ''))) {
      const rows = dumpRows(text, device) ?? [];
      records.push({ op: 'domain', dev: device, rows: rows.length });
      for (const [at, row] of rows.entries())
        records.push({ op: 'page', dev: device, row: at, ...leafOf(row) });
    }
  }
  return records.map((record) => JSON.stringify(record));
}

/** Page frame and entry of a row; the entry is the last one that is not empty, `level` the number of levels below it. */
function leafOf([frame, ...columns]: DumpRow): object {
  if (columns.length === 0) return { pfn: frame, pte: null, level: null };
  const at = columns.findLastIndex((column) => !NO_ENTRY.test(column));
  return { pfn: `0x${frame}`, pte: columns[at] ?? columns[0], level: LOWEST_COLUMN - Math.max(at, 0) };
}

/** Columns are the levels of a five-level table, the 4 KiB level last. */
const LOWEST_COLUMN = 4;
