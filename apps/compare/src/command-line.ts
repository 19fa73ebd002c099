// The command line: the commands, each registered by its own file, and what becomes of their errors.
// Source followed: the project's command-line conventions: 0 fine, 1 a check failed, 2 bad usage or bad input.
// Simplified: no configuration file, no completion.

import { Command, CommanderError } from 'commander';
import { baseCommand, type Ended, EXIT_TEXT } from './base-command.ts';
import { guardOptions } from './option-guard.ts';
import { InputError } from './request-list/input-error.ts';
import type { World } from './world.ts';

const VERSION = '0.0.0';
const EXAMPLES = `
Examples:
  sgfree compare            all nine stages: recorded I/O at 0 to 5, and what 6 to 8 are about
  sgfree compare --help     its options, and what a request list looks like
  sgfree replay trace.txt   your kernel trace at both stages under strict, lazy and passthrough
  sgfree p2p machine.txt    whether the devices of your machine reach each other, from lspci -vvv
  sgfree stages             the road, stage by stage
`;

type Register = (program: Command, world: World, ended: Ended) => void;

/** Loading all commands takes longer than most of them run, so only the one that is named is loaded. */
const COMMANDS: ReadonlyMap<string, () => Promise<Register>> = new Map([
  ['compare', async () => (await import('./compare-options.ts')).registerCompare],
  ['replay', async () => (await import('./replay/replay-options.ts')).registerReplay],
  ['stages', async () => (await import('./stages-command.ts')).registerStages],
  ['blame', async () => (await import('./blame-command.ts')).registerBlame],
  ['p2p', async () => (await import('./p2p/p2p-options.ts')).registerP2p],
]);

/** Runs one command line; the promise holds the exit code. */
export async function runCommandLine(argv: readonly string[], world: World): Promise<number> {
  let exitCode = 0;
  const ended = (code: number): void => {
    exitCode = code;
  };
  const program = baseCommand(new Command('sgfree'), world)
    .description("Linux's road from scatterlist DMA to a scatterlist-free world, made executable.")
    .version(VERSION, '-V, --version')
    .addHelpText('after', EXAMPLES + EXIT_TEXT)
    .hook('preSubcommand', (_program, command) => guardOptions(command));
  const named = COMMANDS.get(argv[0] ?? '');
  const wanted = named === undefined ? [...COMMANDS.values()] : [named];
  for (const register of await Promise.all(wanted.map((load) => load()))) register(program, world, ended);
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
