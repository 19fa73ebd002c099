// The command line: the commands, each registered by its own file, and what becomes of their errors.
// Source followed: the project's command-line conventions: 0 fine, 1 a check failed, 2 bad usage or bad input.
// Simplified: no configuration file, no completion.

import { Command, CommanderError } from 'commander';
import { baseCommand, EXIT_TEXT } from './base-command.ts';
import { registerBlame } from './blame-command.ts';
import { registerCompare } from './compare-options.ts';
import { registerReplay } from './replay/replay-options.ts';
import { InputError } from './request-list/input-error.ts';
import { registerStages } from './stages-command.ts';
import type { World } from './world.ts';

const VERSION = '0.0.0';
const EXAMPLES = `
Examples:
  sgfree compare            recorded I/O at two stages, side by side
  sgfree compare --help     its options, and what a request list looks like
  sgfree replay trace.txt   your kernel trace at both stages under strict, lazy and passthrough
  sgfree stages             the road, stage by stage
`;

/** Runs one command line; the promise holds the exit code. */
export async function runCommandLine(argv: readonly string[], world: World): Promise<number> {
  let exitCode = 0;
  const ended = (code: number): void => {
    exitCode = code;
  };
  const program = baseCommand(new Command('sgfree'), world)
    .description("Linux's road from scatterlist DMA to a scatterlist-free world, made executable.")
    .version(VERSION, '-V, --version')
    .addHelpText('after', EXAMPLES + EXIT_TEXT);
  registerCompare(program, world, ended);
  registerReplay(program, world, ended);
  registerStages(program, world, ended);
  registerBlame(program, world, ended);
  try {
    await program.parseAsync([...argv], { from: 'user' });
    return exitCode;
  } catch (error) {
    return exitCodeOf(error, world);
  }
}

/** Bad input gets its one line here; commander has printed its own. */
function exitCodeOf(error: unknown, world: World): number {
  if (error instanceof InputError) {
    world.err(`sgfree: ${error.message}\n`);
    return 2;
  }
  if (error instanceof CommanderError) return error.exitCode === 0 ? 0 : 2;
  throw error;
}
