// The frame every command shares: errors as exit codes, streams of the world, one text about exit codes.
// Source followed: the project's command-line conventions: 0 fine, 1 a check failed, 2 bad usage or bad input.
// Simplified: no configuration file, no completion.

import type { Command } from 'commander';
import { usageError } from './usage-error.ts';
import type { World } from './world.ts';

/** How a command says with which exit code it ended. */
export type Ended = (exitCode: number) => void;

/** Stands below every help text. */
export const EXIT_TEXT = '\nExit status: 0 everything is right, 1 a check failed, 2 bad usage or bad input.';

/** A new sub-command of `program` in the common frame. */
export function subCommand(program: Command, world: World, name: string): Command {
  return baseCommand(program.command(name), world);
}

/** Puts a command into the common frame: it throws where commander would exit, and writes to the world. */
export function baseCommand(command: Command, world: World): Command {
  const shown = command.name() === 'sgfree' ? 'sgfree' : `sgfree ${command.name()}`;
  return command
    .allowExcessArguments(false)
    .exitOverride()
    .showSuggestionAfterError()
    .showHelpAfterError(`(${shown} --help shows the usage)`)
    .configureOutput({
      writeOut: (text) => world.out(text),
      writeErr: (text) => world.err(text),
      outputError: (text, write) => write(usageError(text, shown)),
    });
}
