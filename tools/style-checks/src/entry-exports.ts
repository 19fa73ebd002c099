// How a package speaks: `index.ts` and `stage-N.ts` hold named re-exports and nothing else.
// Source followed: rule 8 of the house style; API reports and the ledger rest on it.
// Simplified: `export {}` with names is all that is allowed, types included.

import { basename } from 'node:path';
import ts from 'typescript';
import { findingAt, type SourceTree, type StyleFinding } from './source-tree.ts';

/** Finds statements in package entries that are no named re-export. */
export function findLogicInEntries({ sources }: SourceTree): StyleFinding[] {
  return sources
    .filter(({ path }) => /^packages\/[^/]+\/src\/[^/]+$/.test(path) && isEntry(path))
    .flatMap((source) =>
      source.file.statements
        .filter((statement) => !isNamedReExport(statement))
        .map((statement) => findingAt(source, statement, 'an entry holds named re-exports and nothing else')),
    );
}

const isEntry = (path: string): boolean => /^(?:index|sgt|stage-\d+)[.]ts$/.test(basename(path));

function isNamedReExport(statement: ts.Statement): boolean {
  return (
    ts.isExportDeclaration(statement) &&
    statement.exportClause !== undefined &&
    ts.isNamedExports(statement.exportClause) &&
    !statement.exportClause.elements.some(({ name }) => name.text === 'default') &&
    (statement.moduleSpecifier !== undefined || statement.exportClause.elements.length === 0)
  );
}
