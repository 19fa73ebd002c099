// The measures of the house: what files and functions may be as a crowd, where a single one may be longer.
// Source followed: rule 2 of the house style, which took the figures from the code it follows.
// Simplified: packages and apps are measured, without tests; a function passed as an argument belongs to its caller.

import ts from 'typescript';
import { isTest, type SourceTree, type StyleFinding, type StyleSource } from './source-tree.ts';

/** The ceilings, in lines. */
export const measures: {
  readonly fileMedian: number;
  readonly functionMedian: number;
  readonly functionP90: number;
} = { fileMedian: 150, functionMedian: 10, functionP90: 35 };

/** The value below which `share` of the figures lie (the nearest rank). */
export function quantile(figures: readonly number[], share: number): number {
  const sorted = [...figures].sort((a, b) => a - b);
  return sorted[Math.max(0, Math.ceil(sorted.length * share) - 1)] ?? 0;
}

/** Finds measures of the whole house that are exceeded. */
export function findExceededMeasures({ sources }: SourceTree): StyleFinding[] {
  const measured = sources.filter(({ path }) => /^(?:packages|apps)\//.test(path) && !isTest(path));
  const files = measured.map(({ file }) => file.text.replace(/\n$/, '').split('\n').length);
  const functions = measured.flatMap(functionLengths);
  const judged: [string, number, number][] = [
    ['the median file', quantile(files, 0.5), measures.fileMedian],
    ['the median function', quantile(functions, 0.5), measures.functionMedian],
    ['the function at 90 of 100', quantile(functions, 0.9), measures.functionP90],
  ];
  return judged
    .filter(([, lines, ceiling]) => lines > ceiling)
    .map(([what, lines, ceiling]) => ({
      path: 'packages',
      line: 1,
      message: `${what} has ${lines} lines; the ceiling is ${ceiling}`,
    }));
}

function functionLengths({ file }: StyleSource): number[] {
  const lengths: number[] = [];
  const lineAt = (position: number): number => file.getLineAndCharacterOfPosition(position).line;
  const visit = (node: ts.Node): void => {
    if (isMeasured(node)) lengths.push(lineAt(node.end) - lineAt(node.getStart(file)) + 1);
    ts.forEachChild(node, visit);
  };
  visit(file);
  return lengths;
}

function isMeasured(node: ts.Node): boolean {
  if (ts.isArrowFunction(node) || ts.isFunctionExpression(node)) return !ts.isCallExpression(node.parent);
  return ts.isFunctionLike(node) && 'body' in node && node.body !== undefined;
}
