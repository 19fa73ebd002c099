// `docs/api/ledger.md`: every symbol by stage, what became of it there, what replaces it.
// Simplified: packages without stage entries are the same at every stage and only counted by release tag.

import type { ApiReport } from './api-report.ts';
import { firstSentence, type StepNotes } from './migration-notes.ts';
import type { PackageSurfaces } from './package-surfaces.ts';
import { byName, type ChangeKind, compareSurfaces } from './surface-change.ts';

/** The ledger of all packages. */
export function ledgerPage(surfaces: readonly PackageSurfaces[], notes: readonly StepNotes[]): string {
  const staged = surfaces.filter(({ stages }) => stages.size > 0);
  const constant = surfaces.filter(({ stages }) => stages.size === 0);
  const parts = [
    '# API ledger',
    'Written by `npm run api:update` from the API reports. A column is a stage entry of the package; `.` is its newest surface.',
    ...staged.map((surface) => stagedPart(surface, notes)),
    '## The same at every stage',
    constantTable(constant),
  ];
  return `${parts.join('\n\n')}\n`;
}

function stagedPart(surface: PackageSurfaces, notes: readonly StepNotes[]): string {
  const stages = [...surface.stages.keys()];
  const head = ['symbol', 'tag', ...stages.map((stage) => `stage ${stage}`), '`.`', 'replacement', 'note'];
  const names = new Set([
    ...surface.index.keys(),
    ...[...surface.stages.values()].flatMap((report) => [...report.keys()]),
  ]);
  const rows = [...names].sort(byName).map((name) => symbolRow(surface, name, notes));
  return `## ${surface.name}\n\n${table(head, rows)}`;
}

function symbolRow(surface: PackageSurfaces, name: string, notes: readonly StepNotes[]): string[] {
  const reports = [...surface.stages.values()];
  const newest = [...reports, surface.index].findLast((report) => report.has(name))?.get(name);
  const states = reports.map((report, index) => stateAt(reports[index - 1], report, name));
  const note = notes
    .flatMap((step) => step.notes)
    .findLast(({ packageName, symbol }) => packageName === surface.name && symbol === name);
  return [
    `\`${name}\``,
    newest?.tag ?? '',
    ...states,
    surface.index.has(name) ? 'yes' : '',
    note?.replacement ?? '',
    firstSentence(note?.text ?? ''),
  ];
}

function stateAt(before: ApiReport | undefined, after: ApiReport, name: string): ChangeKind | '' {
  return compareSurfaces(before, after).find((change) => change.name === name)?.kind ?? '';
}

function constantTable(surfaces: readonly PackageSurfaces[]): string {
  const tags = ['public', 'beta', 'alpha', 'internal'];
  const rows = surfaces.map(({ name, index }) => {
    const symbols = [...index.values()];
    return [name, ...tags.map((tag) => String(symbols.filter((symbol) => symbol.tag === tag).length))];
  });
  return table(['package', ...tags], rows);
}

function table(head: readonly string[], rows: readonly (readonly string[])[]): string {
  const line = (cells: readonly string[]): string =>
    `| ${cells.map((cell) => cell.replaceAll('|', '\\|')).join(' | ')} |`;
  return [line(head), line(head.map(() => '---')), ...rows.map(line)].join('\n');
}
