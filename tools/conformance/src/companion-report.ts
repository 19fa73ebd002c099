// CompanionReport: what of all that lies beside the record files of a run was compared with the model, and what was not.
// Simplified: amounts of different files are added up when they are of the same things.

import { byFolder, type CompanionKind, companionKind, unusedCompanions } from './companion-files.ts';
import type { FoundFile } from './find-record-files.ts';
import type { FileResult } from './replay-file.ts';
import type { ComparedAmount } from './suite.ts';

/** The companions of a run. */
export interface CompanionReport {
  /** Dumps and traces that were compared, by name. */
  readonly compared: readonly string[];
  readonly amounts: readonly ComparedAmount[];
  /** Dumps and traces that no record file used, by name. */
  readonly unused: readonly string[];
  /** What records speak of and what is not there. */
  readonly missing: readonly { readonly file: string; readonly what: string }[];
}

/** Sums up the files of a run. */
export function companionReport(
  files: readonly FoundFile[],
  results: readonly FileResult[],
): CompanionReport {
  const compared = new Set(results.flatMap(({ companions }) => companions.compared));
  const inputs = results.flatMap(({ companions }) => companions.inputs);
  return {
    compared: [...compared].sort(),
    amounts: sumsOf(results.flatMap(({ amounts }) => amounts)),
    unused: unusedCompanions(files, new Set([...compared, ...inputs])),
    missing: results.flatMap(({ file, companions }) => companions.missing.map((what) => ({ file, what }))),
  };
}

function sumsOf(amounts: readonly ComparedAmount[]): ComparedAmount[] {
  const sums = new Map<string, { what: string; same: number; of: number }>();
  for (const { what, same, of } of amounts) {
    const sum = sums.get(what) ?? { what, same: 0, of: 0 };
    sums.set(what, { what, same: sum.same + same, of: sum.of + of });
  }
  return [...sums.values()];
}

const numberOf = (names: readonly string[], kind: CompanionKind | null): number =>
  names.filter((name) => companionKind(name) === kind).length;

function counted(names: readonly string[]): string {
  const others = numberOf(names, null);
  const known = (['dump', 'trace'] as const).map((kind) => `${numberOf(names, kind)} ${kind}s`);
  return [...known, ...(others > 0 ? [`${others} other files`] : [])].join(', ');
}

/** The lines for people; none when there is nothing to tell. */
export function companionLines({ compared, amounts, unused, missing }: CompanionReport): string[] {
  const sums = amounts.map(({ what, same, of }) => `; ${same} of ${of} ${what}`).join('');
  return [
    ...missing.map(({ file, what }) => `not beside ${file}: ${what}`),
    ...byFolder(unused).map((line) => `no record file used ${line}`),
    ...(unused.length > 0 ? [`no record file used, in all: ${counted(unused)}`] : []),
    ...(compared.length > 0 ? [`compared beside the records: ${counted(compared)}${sums}`] : []),
  ];
}
