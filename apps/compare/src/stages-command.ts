// `sgfree stages`: the road, stage by stage.
// Source followed: the project's road table.
// Simplified: the ledger of API symbols lives in docs/api and is not printed here.

import { theRoad } from '@sgfree/roadmap';
import { textTable } from './text-table.ts';
import type { World } from './world.ts';

/** Prints the road; exit code 0. */
export function runStages(world: World, options: { readonly json?: true }): number {
  if (options.json) {
    world.out(`${JSON.stringify({ schema: 'sgfree/stages/v1', stages: theRoad }, null, 2)}\n`);
    return 0;
  }
  const rows = theRoad.map(({ stage, becomesTrue, linux, runnable, packages }) => [
    String(stage),
    becomesTrue,
    linux,
    runnable ? 'yes' : 'not yet',
    packages.join(', '),
  ]);
  const head = ['stage', 'what becomes true', 'in Linux 7.3.4', 'runs here', 'packages'];
  world.out(`${textTable(world, head, rows)}\n`);
  return 0;
}
