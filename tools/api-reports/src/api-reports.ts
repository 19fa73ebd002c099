// The committed reports against what the emitted declarations say now.
// `update` writes them, `check` only compares: CI never writes.
// Simplified: a report is compared as text; a report without an entry is stale and belongs deleted.

import {
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { type ExtractedReport, extractReports } from './extract-report.ts';
import { diffLines } from './line-diff.ts';
import { type PackageEntry, packageEntries, packageNames } from './package-entries.ts';

/** The verdict on one report. */
export interface ReportVerdict {
  readonly report: string;
  readonly problems: readonly string[];
}

/** Compares every report of the workspace at `folder`, after writing it when `update` is set. */
export function judgeReports(folder: string, update: boolean): ReportVerdict[] {
  const output = mkdtempSync(join(tmpdir(), 'sgfree-api-'));
  try {
    const entries = packageEntries(folder);
    const built = entries.filter(({ declarations }) => existsSync(declarations));
    const reports = extractReports(folder, built, output);
    return [
      ...entries.map((entry) => judge(folder, entry, reports.get(entry), update)),
      ...staleReports(folder, entries, update),
    ];
  } finally {
    rmSync(output, { recursive: true });
  }
}

function judge(
  folder: string,
  entry: PackageEntry,
  extracted: ExtractedReport | undefined,
  update: boolean,
): ReportVerdict {
  const { report } = entry;
  if (extracted === undefined) return { report, problems: ['the package is not built'] };
  const path = join(folder, report);
  if (update) {
    mkdirSync(dirname(path), { recursive: true });
    writeFileSync(path, extracted.text);
  }
  if (!existsSync(path)) return { report, problems: [...extracted.problems, 'the report is not committed'] };
  const diff = diffLines(readFileSync(path, 'utf8'), extracted.text);
  return { report, problems: [...extracted.problems, ...diff] };
}

function staleReports(folder: string, entries: readonly PackageEntry[], update: boolean): ReportVerdict[] {
  const known = new Set(entries.map(({ report }) => report));
  return packageNames(folder).flatMap((name) => {
    const apiFolder = join(folder, 'packages', name, 'api');
    if (!existsSync(apiFolder)) return [];
    return readdirSync(apiFolder)
      .map((file) => `packages/${name}/api/${file}`)
      .filter((report) => report.endsWith('.api.md') && !known.has(report))
      .flatMap((report) => {
        if (!update) return [{ report, problems: ['no entry has this report'] }];
        rmSync(join(folder, report));
        return [];
      });
  });
}
