// An API report read back: the symbols of one entry, with release tag, deprecation and text.
// Source followed: the report format of API Extractor (one fenced block of TypeScript, `// @public` above each symbol).
// Simplified: overloads of one name are one symbol; imports of the report are no symbols.

import ts from 'typescript';

/** One exported symbol as a report states it. */
export interface ReportedSymbol {
  readonly name: string;
  /** `public`, `beta`, `alpha`, `internal`, or empty for a re-export of another package. */
  readonly tag: string;
  readonly deprecated: boolean;
  /** The declaration as printed in the report. */
  readonly text: string;
}

/** The symbols of a report, by name. */
export type ApiReport = ReadonlyMap<string, ReportedSymbol>;

const releaseTag = /@(public|beta|alpha|internal)\b/;

/** Reads the text of a report. */
export function readApiReport(markdown: string): ApiReport {
  const code = /^```ts\n([\s\S]*?)^```/m.exec(markdown)?.[1];
  if (code === undefined) throw new Error('an API report holds one fenced block of TypeScript');
  const source = ts.createSourceFile('report.ts', code, ts.ScriptTarget.Latest, true);
  const symbols = new Map<string, ReportedSymbol>();
  for (const statement of source.statements) {
    for (const name of exportedNames(statement)) {
      const comment = code.slice(statement.getFullStart(), statement.getStart(source));
      const before = symbols.get(name);
      symbols.set(name, {
        name,
        tag: releaseTag.exec(comment)?.[1] ?? before?.tag ?? '',
        deprecated: comment.includes('@deprecated') || before?.deprecated === true,
        text: [...(before === undefined ? [] : [before.text]), statement.getText(source)].join('\n'),
      });
    }
  }
  return symbols;
}

function exportedNames(statement: ts.Statement): string[] {
  if (ts.isExportDeclaration(statement)) {
    const clause = statement.exportClause;
    return clause !== undefined && ts.isNamedExports(clause)
      ? clause.elements.map(({ name }) => name.text)
      : [];
  }
  const modifiers = ts.canHaveModifiers(statement) ? ts.getModifiers(statement) : undefined;
  if (modifiers?.some(({ kind }) => kind === ts.SyntaxKind.ExportKeyword) !== true) return [];
  if (ts.isVariableStatement(statement)) {
    return statement.declarationList.declarations.map(({ name }) => name.getText());
  }
  const named = statement as ts.Statement & { readonly name?: ts.Identifier };
  return named.name === undefined ? [] : [named.name.text];
}
