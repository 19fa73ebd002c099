// The packages of the workspace and the source file behind each of their entries.
// Source followed: Node's rules for an exports map, with the condition `@sgfree/source` first.
// Simplified: an entry is a path of its own; patterns (`./*`) are not understood and count as unresolved.

import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';

/** Entry files by specifier, `@sgfree/block/stage-1` to `packages/block/src/stage-1.ts`. */
export type WorkspaceEntries = ReadonlyMap<string, string>;

interface Manifest {
  readonly name?: string;
  readonly exports?: Readonly<Record<string, string | Readonly<Record<string, string>>>>;
}

/** Reads the exports map of every package below `packages/`. */
export function workspaceEntries(folder: string): WorkspaceEntries {
  const entries = new Map<string, string>();
  for (const name of readdirSync(join(folder, 'packages')).sort()) {
    const manifestPath = join(folder, 'packages', name, 'package.json');
    if (!existsSync(manifestPath)) continue;
    const manifest: Manifest = JSON.parse(readFileSync(manifestPath, 'utf8'));
    for (const [entry, targets] of Object.entries(manifest.exports ?? {})) {
      const target = typeof targets === 'string' ? targets : targets['@sgfree/source'];
      if (target?.endsWith('.ts') !== true) continue;
      entries.set(join(manifest.name ?? name, entry), join('packages', name, target));
    }
  }
  return entries;
}
