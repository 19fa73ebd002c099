// The rules of the last stage: whatever has an entry for it reaches no scatterlist, from there and from `.`, which is the same surface.
// Source followed: the design: "no module reachable from any stage-8 entry imports dma-sg or dma-buf/sgt".
// The entries are found in the exports maps, so that a new one cannot be forgotten; the packages that must have one are named.
// Simplified: that `.` offers what `stage-8` offers is tested by the packages themselves.

import type { ReachRule } from './reach-rules.ts';
import { workspaceEntries } from './workspace-packages.ts';

/** Packages that must have an entry for the last stage. */
export const LAST_STAGE_PACKAGES = ['dma-buf', 'gpu-driver', 'rdma', 'vfio-dmabuf'] as const;

const LAST = '/stage-8';
const NAME = /^@sgfree[/](.*)[/]stage-8$/;

/** The rules for the workspace at `folder`: two for each package with an entry, one that fails for each that lacks it. */
export function lastStageRules(folder: string): ReachRule[] {
  const entries = workspaceEntries(folder);
  const found = [...entries.keys()].flatMap((entry) => NAME.exec(entry)?.[1] ?? []);
  const names = [...new Set([...LAST_STAGE_PACKAGES, ...found])].sort();
  return names.flatMap((name) => {
    const newest = entries.get(`@sgfree/${name}`) ?? `packages/${name}/src/index.ts`;
    const last = entries.get(`@sgfree/${name}${LAST}`) ?? `packages/${name}/src${LAST}.ts`;
    return [
      ruleFor(last, `nothing of ${name} needs a scatterlist at stage 8`),
      ruleFor(newest, `the newest surface of ${name} is that of stage 8`),
    ];
  });
}

const ruleFor = (start: string, why: string): ReachRule => ({
  start,
  forbidden: ['packages/dma-sg/', 'packages/dma-buf/src/sgt'],
  required: ['packages/dma-buf/src/mapping-type/', 'packages/p2p/'],
  why,
});
