// `sgfree stages`: the road, stage by stage.
// Source followed: the project's road table.
// Simplified: what is merged stands in the data of the road; the ledger of API symbols lives in docs/api.

import { type RoadStage, theRoad } from '@sgfree/roadmap';
import type { Command } from 'commander';
import { type Ended, EXIT_TEXT, subCommand } from './base-command.ts';
import { textTable } from './text-table.ts';
import type { World } from './world.ts';

const EXAMPLES = `
Examples:
  sgfree stages             a table for people
  sgfree stages --json      the same for programs
`;

/** Adds the command to `program`. */
export function registerStages(program: Command, world: World, ended: Ended): void {
  subCommand(program, world, 'stages')
    .description('Show the road: nine stages, what each makes true, what Linux has merged.')
    .option('--json', 'print one JSON document (sgfree/stages/v1) instead of a table')
    .addHelpText('after', EXAMPLES + EXIT_TEXT)
    .action((options: { json?: true }) => ended(runStages(world, options)));
}

/** Prints the road; exit code 0. */
function runStages(world: World, options: { readonly json?: true }): number {
  if (options.json) {
    world.out(`${JSON.stringify({ schema: 'sgfree/stages/v1', stages: theRoad }, null, 2)}\n`);
    return 0;
  }
  world.out(
    `${textTable(world, ['stage', 'what becomes true', 'in Linux 7.3.4', 'runs here', 'packages'], theRoad.map(stageRow))}\n\n`,
  );
  world.out(`${textTable(world, ['stage', 'step', 'state', 'because'], theRoad.flatMap(stepRows))}\n`);
  return 0;
}

const stageRow = ({ stage, becomesTrue, linux, runnable, packages }: RoadStage): string[] => [
  String(stage),
  becomesTrue,
  linux,
  runnable ? 'yes' : 'not yet',
  packages.join(', '),
];

/** The steps of a stage, its number only at the first. */
const stepRows = ({ stage, steps }: RoadStage): string[][] =>
  steps.map(({ what, state, because }, at) => [at === 0 ? `${stage}:` : '', what, state, because]);
