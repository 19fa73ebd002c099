// Judges one rule of the road against the sources of a workspace.
// Simplified: the verdict is text for people; only `passed` is meant for programs.

import { existsSync } from 'node:fs';
import { join } from 'node:path';
import type { ReachRule } from './reach-rules.ts';
import { chainTo, walkModules } from './walk-modules.ts';

/** The verdict on one rule. */
export interface ReachVerdict {
  readonly passed: boolean;
  readonly modules: number;
  readonly lines: readonly string[];
}

/** Walks from the rule's start and looks for what it forbids. */
export function checkReach(folder: string, rule: ReachRule): ReachVerdict {
  if (!existsSync(join(folder, rule.start))) {
    return { passed: false, modules: 0, lines: [`${rule.start}: there is no such module`] };
  }
  const walk = walkModules(folder, rule.start);
  const modules = [...walk.reachedBy.keys()];
  const problems = [
    ...modules
      .filter((path) => rule.forbidden.some((prefix) => path.startsWith(prefix)))
      .map((path) => `  reaches ${chainTo(walk, path).join(' -> ')}`),
    ...rule.required
      .filter((prefix) => !modules.some((path) => path.startsWith(prefix)))
      .map((prefix) => `  does not reach ${prefix}, which it stands on`),
    ...walk.unresolved.map((specifier) => `  cannot follow ${specifier}`),
  ];
  const verdict = problems.length === 0 ? 'reaches nothing of' : 'MUST NOT reach';
  const head = `${rule.start}: ${modules.length} modules walked, ${verdict} ${rule.forbidden.join(', ')} (${rule.why})`;
  return { passed: problems.length === 0, modules: modules.length, lines: [head, ...problems] };
}
