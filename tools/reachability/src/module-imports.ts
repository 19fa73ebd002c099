// What one source file imports: every specifier in it, type imports, import types, dynamic imports, reference comments
// and augmented modules included.
// Read with the TypeScript parser, so that a comment or a string that looks like an import is none.
// Simplified: `require` is not looked for; the house is ESM only.

import ts from 'typescript';

/** What was read before, by text: most modules are reached by most walks. */
const known = new Map<string, readonly string[]>();

/** The specifiers of a source text, in their order, each once. */
export function importedSpecifiers(path: string, text: string): readonly string[] {
  const found = known.get(text) ?? specifiersIn(path, text);
  known.set(text, found);
  return found;
}

function specifiersIn(path: string, text: string): readonly string[] {
  const source = ts.createSourceFile(path, text, ts.ScriptTarget.Latest, true);
  const found = new Set<string>([
    ...source.referencedFiles.map(({ fileName }) => (fileName.startsWith('.') ? fileName : `./${fileName}`)),
    ...source.typeReferenceDirectives.map(({ fileName }) => fileName),
  ]);
  const visit = (node: ts.Node): void => {
    const specifier = specifierOf(node);
    if (specifier !== undefined) found.add(specifier);
    ts.forEachChild(node, visit);
    for (const comment of ts.getJSDocCommentsAndTags(node)) visitJsDoc(comment);
  };
  const visitJsDoc = (node: ts.Node): void => {
    if (ts.isJSDocImportTag(node) && ts.isStringLiteral(node.moduleSpecifier)) {
      found.add(node.moduleSpecifier.text);
    }
    ts.forEachChild(node, visitJsDoc);
  };
  visit(source);
  return [...found];
}

function specifierOf(node: ts.Node): string | undefined {
  if (ts.isImportDeclaration(node) || ts.isExportDeclaration(node)) return literal(node.moduleSpecifier);
  if (ts.isModuleDeclaration(node)) return literal(node.name);
  if (ts.isExternalModuleReference(node)) return literal(node.expression);
  if (ts.isImportTypeNode(node))
    return ts.isLiteralTypeNode(node.argument) ? literal(node.argument.literal) : '';
  if (ts.isCallExpression(node) && node.expression.kind === ts.SyntaxKind.ImportKeyword) {
    return literal(node.arguments[0]) ?? '';
  }
  return undefined;
}

function literal(node: ts.Node | undefined): string | undefined {
  return node !== undefined && ts.isStringLiteralLike(node) ? node.text : undefined;
}
