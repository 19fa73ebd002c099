// Every module of the workspace that a module reaches, with the import chain that reached it first.
// Workspace packages are followed into their sources through their exports map; npm packages and builtins are leaves.
// An import that leads nowhere is reported: what cannot be followed could reach anything.
// Simplified: breadth first, so the chain shown is a shortest one; resolution is by file name (`./x.ts`), as the house writes it.

import { existsSync, readFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { importedSpecifiers } from './module-imports.ts';
import { type WorkspaceEntries, workspaceEntries } from './workspace-packages.ts';

/** What a walk saw. Paths are relative to the workspace folder. */
export interface ModuleWalk {
  /** The modules reached, the start included, each with the one that reached it first (`''` for the start). */
  readonly reachedBy: ReadonlyMap<string, string>;
  /** `file: specifier` of imports that lead to no file. */
  readonly unresolved: readonly string[];
}

/** The file an import leads to; null when it leaves the workspace, undefined when it leads nowhere. */
function resolve(
  folder: string,
  entries: WorkspaceEntries,
  from: string,
  specifier: string,
): string | null | undefined {
  if (specifier.startsWith('.')) {
    const path = join(dirname(from), specifier);
    return existsSync(join(folder, path)) && path.endsWith('.ts') ? path : undefined;
  }
  const entry = entries.get(specifier);
  if (entry !== undefined) return existsSync(join(folder, entry)) ? entry : undefined;
  return specifier === '' || specifier.startsWith('@sgfree/') ? undefined : null;
}

/** Walks from `start`, a path relative to `folder`. */
export function walkModules(folder: string, start: string): ModuleWalk {
  const entries = workspaceEntries(folder);
  const reachedBy = new Map<string, string>([[start, '']]);
  const unresolved: string[] = [];
  for (const [path] of reachedBy) {
    for (const specifier of importedSpecifiers(path, readFileSync(join(folder, path), 'utf8'))) {
      const target = resolve(folder, entries, path, specifier);
      if (target === undefined) unresolved.push(`${path}: ${specifier}`);
      else if (target !== null && !reachedBy.has(target)) reachedBy.set(target, path);
    }
  }
  return { reachedBy, unresolved };
}

/** The modules from the start to `path`. */
export function chainTo(walk: ModuleWalk, path: string): string[] {
  const chain: string[] = [];
  for (let at = path; at !== ''; at = walk.reachedBy.get(at) ?? '') chain.unshift(at);
  return chain;
}
