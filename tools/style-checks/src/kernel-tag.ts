// The `@kernel` block tag against the name it stands on: a reader greps both trees with one rule.
// Source followed: rule 4 of the house style. `dma_iova_link` is dmaIovaLink, `struct dma_iova_state` is DmaIovaState,
// `DMA_MAPPING_ERROR` keeps its name; leading underscores of the kernel may stay or go.
// Simplified: only exported declarations of packages are read; a tag holds one symbol or several separated by commas.

import ts from 'typescript';
import { findingAt, isTest, type SourceTree, type StyleFinding, type StyleSource } from './source-tree.ts';

type Named = 'function' | 'type' | 'constant';

const symbolPattern = /^(?:(?:struct|enum|union) )?[A-Za-z_][A-Za-z0-9_]*(?:\(\))?$/;

/** The name a kernel symbol has here, or undefined when it is none. */
export function nameOfKernelSymbol(symbol: string, kind: Named): string | undefined {
  if (!symbolPattern.test(symbol)) return undefined;
  const bare = symbol.replace(/^(?:struct|enum|union) /, '').replace(/\(\)$/, '');
  if (/^_*[A-Z][A-Z0-9_]*$/.test(bare)) return bare;
  const words = bare.replace(/^_+|_+$/g, '').split(/_+/);
  const camel = words.map((word, index) => (index === 0 ? word : capital(word))).join('');
  return kind === 'type' ? capital(camel) : camel;
}

const capital = (word: string): string => word.slice(0, 1).toUpperCase() + word.slice(1);

/** Finds `@kernel` tags that do not name the symbol their declaration is called after. */
export function findKernelTagMismatches({ sources }: SourceTree): StyleFinding[] {
  return sources
    .filter(({ path }) => path.startsWith('packages/') && !isTest(path))
    .flatMap((source) => source.file.statements.flatMap((statement) => judged(source, statement)));
}

function judged(source: StyleSource, statement: ts.Statement): StyleFinding[] {
  return ts.getJSDocTags(statement).flatMap((tag) => {
    if (tag.tagName.text !== 'kernel') return [];
    const text = (ts.getTextOfJSDocComment(tag.comment) ?? '').trim();
    const symbols = text.split(/\s*,\s*/);
    const names = declaredNames(statement);
    if (names.length === 0) return [findingAt(source, statement, `@kernel ${text} stands on no declaration`)];
    return names
      .filter(
        ({ name, kind }) =>
          !symbols.some((symbol) => nameOfKernelSymbol(symbol, kind) === name.replace(/^_+/, '')),
      )
      .map(({ name }) => findingAt(source, statement, `@kernel ${text} stands on ${name}`));
  });
}

function declaredNames(statement: ts.Statement): { name: string; kind: Named }[] {
  if (ts.isFunctionDeclaration(statement)) {
    return statement.name === undefined ? [] : [{ name: statement.name.text, kind: 'function' }];
  }
  if (ts.isClassDeclaration(statement)) {
    return statement.name === undefined ? [] : [{ name: statement.name.text, kind: 'type' }];
  }
  if (ts.isInterfaceDeclaration(statement) || ts.isTypeAliasDeclaration(statement)) {
    return [{ name: statement.name.text, kind: 'type' }];
  }
  if (ts.isVariableStatement(statement)) {
    return statement.declarationList.declarations.map(({ name }) => ({
      name: name.getText(),
      kind: 'constant',
    }));
  }
  return [];
}
