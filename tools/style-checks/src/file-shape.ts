// The shape of a file: what it is called, how it opens, how long it is.
// Source followed: rules 2 and 3 of the house style; the opening of a model file names its source and what it simplifies.
// Simplified: tests and entries (`index.ts`, `stage-N.ts`) need no `Simplified:` sentence, tests no opening at all.

import { basename } from 'node:path';
import { isTest, type SourceTree, type StyleFinding, type StyleSource } from './source-tree.ts';

/** Lines at which a reviewer asks. */
export const lineCeiling = 400;

const vagueNames: ReadonlySet<string> = new Set([
  'utils',
  'util',
  'helpers',
  'helper',
  'types',
  'common',
  'misc',
]);

/** Finds files that are named after nothing, or lie in a folder that is. */
export function findVagueNames({ sources }: SourceTree): StyleFinding[] {
  return sources
    .filter(({ path }) =>
      path
        .replace(/(?:[.]test)?[.]ts$/, '')
        .split('/')
        .some((word) => vagueNames.has(word)),
    )
    .map(({ path }) => ({ path, line: 1, message: 'the file is named after no concept' }));
}

/** Finds files that are longer than {@link lineCeiling}. */
export function findLongFiles({ sources }: SourceTree): StyleFinding[] {
  return sources
    .map(({ path, file }) => ({ path, lines: file.text.replace(/\n$/, '').split('\n').length }))
    .filter(({ lines }) => lines > lineCeiling)
    .map(({ path, lines }) => ({
      path,
      line: lineCeiling,
      message: `${lines} lines; the ceiling is ${lineCeiling}`,
    }));
}

/** Finds files that do not open by saying what they stand for. */
export function findMissingOpenings({ sources }: SourceTree): StyleFinding[] {
  return sources
    .filter(({ path }) => !isTest(path) && !path.endsWith('.config.ts'))
    .flatMap((source) => openingProblem(source).map((message) => ({ path: source.path, line: 1, message })));
}

function openingProblem({ path, file }: StyleSource): string[] {
  const opening = openingComment(file.text);
  if (opening.length === 0) return ['the file does not open with a comment'];
  const isModel =
    /^packages\/[^/]+\/src\//.test(path) && !/^(?:index|sgt|stage-\d+)[.]ts$/.test(basename(path));
  if (!isModel) return [];
  if (opening.length < 3) return [`the opening has ${opening.length} lines; a model file says more`];
  return opening.some((line) => line.includes('Simplified:'))
    ? []
    : ['the opening has no "Simplified:" sentence'];
}

function openingComment(text: string): string[] {
  const lines = text.replace(/^#!.*\n/, '').split('\n');
  const end = lines.findIndex((line) => !line.startsWith('//'));
  return end === -1 ? lines : lines.slice(0, end);
}
