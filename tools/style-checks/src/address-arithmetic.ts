// Operators on addresses: only `addresses.ts` of hw-model computes with them, everyone else calls its functions.
// Source followed: rule 1 of the house style. TypeScript lets `+` through on branded numbers, so this check does not.
// Comparisons are free; arithmetic and bit operators, their assignments, `++`, `--`, `-x` and `~x` are not, and neither
// is a cast that turns an address into a plain number, which would take it out of sight.
// Simplified: an operand counts as an address when its type (or a part of its union) carries the brand.

import ts from 'typescript';
import { findingAt, type SourceTree, type StyleFinding } from './source-tree.ts';

const exempt = 'packages/hw-model/src/addresses.ts';

const binaryOperators: ReadonlySet<ts.SyntaxKind> = new Set([
  ts.SyntaxKind.PlusToken,
  ts.SyntaxKind.MinusToken,
  ts.SyntaxKind.AsteriskToken,
  ts.SyntaxKind.AsteriskAsteriskToken,
  ts.SyntaxKind.SlashToken,
  ts.SyntaxKind.PercentToken,
  ts.SyntaxKind.AmpersandToken,
  ts.SyntaxKind.BarToken,
  ts.SyntaxKind.CaretToken,
  ts.SyntaxKind.LessThanLessThanToken,
  ts.SyntaxKind.GreaterThanGreaterThanToken,
  ts.SyntaxKind.GreaterThanGreaterThanGreaterThanToken,
  ts.SyntaxKind.PlusEqualsToken,
  ts.SyntaxKind.MinusEqualsToken,
  ts.SyntaxKind.AsteriskEqualsToken,
  ts.SyntaxKind.AsteriskAsteriskEqualsToken,
  ts.SyntaxKind.SlashEqualsToken,
  ts.SyntaxKind.PercentEqualsToken,
  ts.SyntaxKind.AmpersandEqualsToken,
  ts.SyntaxKind.BarEqualsToken,
  ts.SyntaxKind.CaretEqualsToken,
  ts.SyntaxKind.LessThanLessThanEqualsToken,
  ts.SyntaxKind.GreaterThanGreaterThanEqualsToken,
  ts.SyntaxKind.GreaterThanGreaterThanGreaterThanEqualsToken,
]);

const unaryOperators: ReadonlySet<ts.SyntaxKind> = new Set([
  ts.SyntaxKind.PlusPlusToken,
  ts.SyntaxKind.MinusMinusToken,
  ts.SyntaxKind.MinusToken,
  ts.SyntaxKind.TildeToken,
]);

/** Finds arithmetic on addresses outside the one file that may do it. */
export function findAddressArithmetic({ sources, checker }: SourceTree): StyleFinding[] {
  const findings: StyleFinding[] = [];
  const isAddress = (node: ts.Expression): boolean => carriesBrand(checker, checker.getTypeAtLocation(node));
  for (const source of sources) {
    if (source.path === exempt) continue;
    const visit = (node: ts.Node): void => {
      if (computed(node).some(isAddress)) {
        findings.push(findingAt(source, node, `arithmetic on an address: ${node.getText(source.file)}`));
      }
      if (ts.isAsExpression(node) && isPlainNumber(node.type) && isAddress(node.expression)) {
        findings.push(findingAt(source, node, `an address loses its space: ${node.getText(source.file)}`));
      }
      ts.forEachChild(node, visit);
    };
    visit(source.file);
  }
  return findings;
}

const isPlainNumber = (type: ts.TypeNode): boolean => type.kind === ts.SyntaxKind.NumberKeyword;

function computed(node: ts.Node): ts.Expression[] {
  if (ts.isBinaryExpression(node) && binaryOperators.has(node.operatorToken.kind)) {
    return [node.left, node.right];
  }
  if (
    (ts.isPrefixUnaryExpression(node) || ts.isPostfixUnaryExpression(node)) &&
    unaryOperators.has(node.operator)
  ) {
    return [node.operand];
  }
  return [];
}

function carriesBrand(checker: ts.TypeChecker, type: ts.Type): boolean {
  const bound = checker.getBaseConstraintOfType(type) ?? type;
  if (bound.isUnion()) return bound.types.some((part) => carriesBrand(checker, part));
  return bound.getProperty('__addressSpace') !== undefined;
}
