// Runs dependency-cruiser over a workspace folder with the rules of the house.
// An unread folder proves nothing, so the number of modules and a floor for every package are checked too.
// Simplified: one run over packages, apps and tools; each rule then counts as one check.

import { existsSync, readdirSync } from 'node:fs';
import { join } from 'node:path';
import { allExtensions, cruise, type ICruiseResult } from 'dependency-cruiser';
import { floorRuleSet } from './floor-rules.ts';
import { floorTable } from './floor-table.ts';

/** An import that a rule forbids, or a workspace that cannot be judged. */
export interface FloorViolation {
  readonly rule: string;
  readonly from: string;
  readonly to: string;
}

/** What the run saw. */
export interface FloorReport {
  readonly modules: number;
  readonly violations: readonly FloorViolation[];
}

/** The name under which {@link checkFloors} reports a workspace that it cannot judge. */
export const unjudged = 'every-package-is-judged';

function workspaceViolations(folder: string, sources: readonly string[]): FloorViolation[] {
  const violations: FloorViolation[] = [];
  if (!allExtensions.some(({ extension, available }) => extension === '.ts' && available)) {
    violations.push({
      rule: unjudged,
      from: 'dependency-cruiser',
      to: 'has no TypeScript to read sources with',
    });
  }
  for (const name of readdirSync(join(folder, 'packages'))) {
    const from = `packages/${name}`;
    if (!existsSync(join(folder, from, 'package.json'))) continue;
    if (floorTable[name] === undefined) violations.push({ rule: unjudged, from, to: 'has no floor' });
    if (!sources.some((source) => source.startsWith(`${from}/src/`))) {
      violations.push({ rule: unjudged, from, to: 'no source was read' });
    }
  }
  return violations;
}

/** Checks the workspace at `folder`. */
export async function checkFloors(folder: string): Promise<FloorReport> {
  const roots = ['packages', 'apps', 'tools'].filter((name) => existsSync(join(folder, name)));
  const { output } = await cruise(
    roots,
    {
      baseDir: folder,
      validate: true,
      ruleSet: { forbidden: [...floorRuleSet] },
      tsPreCompilationDeps: true,
      detectJSDocImports: true,
      exclude: { path: '(?:^|/)(?:dist|temp|coverage)/' },
      doNotFollow: { path: 'node_modules' },
    },
    { conditionNames: ['@sgfree/source', 'import', 'types', 'node', 'default'], exportsFields: ['exports'] },
  );
  const result = output as ICruiseResult;
  const violations = result.summary.violations.map(({ rule, from, to, cycle }) => ({
    rule: rule.name,
    from,
    to: cycle ? cycle.map(({ name }) => name).join(' -> ') : to,
  }));
  const sources = result.modules.map(({ source }) => source);
  return {
    modules: result.summary.totalCruised,
    violations: [...workspaceViolations(folder, sources), ...violations],
  };
}
