// What happened to a symbol between two stages.
// Source followed: rule 9 of the house style: a deprecation is a declaration of its own, removal comes a stage later.
// Simplified: a changed signature is one word; the diff page shows both texts.

import type { ApiReport, ReportedSymbol } from './api-report.ts';

/** The words of the ledger. */
export type ChangeKind = 'added' | 'changed' | 'deprecated' | 'removed' | 'kept';

/** One symbol from one stage to the next. */
export interface SurfaceChange {
  readonly kind: ChangeKind;
  readonly name: string;
  readonly before: ReportedSymbol | undefined;
  readonly after: ReportedSymbol | undefined;
}

function kindOf(before: ReportedSymbol | undefined, after: ReportedSymbol | undefined): ChangeKind {
  if (after === undefined) return 'removed';
  if (after.deprecated && before?.deprecated !== true) return 'deprecated';
  if (before === undefined) return 'added';
  return before.text === after.text && before.tag === after.tag ? 'kept' : 'changed';
}

/** Every symbol of either surface, by name. */
export function compareSurfaces(
  before: ApiReport | undefined,
  after: ApiReport | undefined,
): SurfaceChange[] {
  const names = new Set([...(before?.keys() ?? []), ...(after?.keys() ?? [])]);
  return [...names].sort(byName).map((name) => {
    const was = before?.get(name);
    const is = after?.get(name);
    return { kind: kindOf(was, is), name, before: was, after: is };
  });
}

/** Names as a dictionary orders them, capitals and small letters together; the same on every machine. */
export function byName(a: string, b: string): number {
  const [low, high] = [a.toLowerCase(), b.toLowerCase()];
  if (low !== high) return low < high ? -1 : 1;
  return a === b ? 0 : a < b ? -1 : 1;
}
