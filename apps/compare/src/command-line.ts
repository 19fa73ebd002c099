// The command line: sub-commands, options, help, exit codes.
// Source followed: the project's command-line conventions: 0 fine, 1 a check failed, 2 bad usage or bad input.
// Simplified: no configuration file, no completion.

import {
  DEFAULT_MEMORY_BYTES,
  MEMORY_LIMITS,
  type PageBacking,
  PLANTED_FAULTS,
  type PlantedFault,
} from '@sgfree/roadmap';
import { Command, CommanderError, InvalidArgumentError, Option } from 'commander';
import { type CompareOptions, runCompare } from './compare-command.ts';
import { parseSize, sizeText } from './memory-size.ts';
import { InputError } from './request-list/input-error.ts';
import { runStages } from './stages-command.ts';
import type { World } from './world.ts';

const VERSION = '0.0.0';
const EXIT_TEXT = '\nExit status: 0 everything is right, 1 a check failed, 2 bad usage or bad input.';
const PROGRAM_EXAMPLES = `
Examples:
  sgfree compare            recorded I/O at two stages, side by side
  sgfree compare --help     its options, and what a request list looks like
  sgfree stages             the road, stage by stage
`;
const STAGES_EXAMPLES = `
Examples:
  sgfree stages             a table for people
  sgfree stages --json      the same for programs
`;
const COMPARE_EXAMPLES = `
Examples:
  sgfree compare                                    the recorded I/O shipped with this command, three lists
  sgfree compare --requests nvio_small.jsonl.gz     your own list
  zcat list.jsonl.gz | sgfree compare -r - --json   from standard input, for programs
  sgfree compare --plant skipped-invalidation       see a check fail

A request list has one JSON object a line:
  {"op":"read","pos":4096,"total":4096,"iov":[[4096,[["0x10ac28000",4096]]]]}
pos is the byte offset on the disk; iov lists per iovec its length and its physical pieces [address, bytes].
`;

interface RawCompareOptions {
  readonly requests?: readonly string[];
  readonly json?: true;
  readonly seed: number;
  readonly memory: number;
  readonly pages?: '4k' | '2m';
  readonly plant?: PlantedFault;
}

const BACKINGS: Readonly<Record<'4k' | '2m', PageBacking>> = { '4k': 'base-pages', '2m': 'huge-pages' };

function seedNumber(text: string): number {
  const value = /^\d{1,10}$/.test(text) ? Number(text) : Number.NaN;
  if (!(value < 2 ** 32)) throw new InvalidArgumentError('not a whole number from 0 to 4294967295');
  return value;
}

function memoryBytes(text: string): number {
  const bytes = parseSize(text);
  const { least, most } = MEMORY_LIMITS;
  if (bytes === null || bytes < least || bytes > most || bytes % 2 ** 20 !== 0) {
    throw new InvalidArgumentError(
      `not a size in whole MiB from ${sizeText(least)} to ${sizeText(most)}, such as 3G`,
    );
  }
  return bytes;
}

function checked(raw: RawCompareOptions): CompareOptions {
  const { pages, requests = [], ...rest } = raw;
  return { ...rest, requests, ...(pages === undefined ? {} : { pages: BACKINGS[pages] }) };
}

/** Runs one command line; returns the exit code. */
export function runCommandLine(argv: readonly string[], world: World): number {
  let exitCode = 0;
  const program = baseCommand(new Command('sgfree'), world)
    .description("Linux's road from scatterlist DMA to a scatterlist-free world, made executable.")
    .version(VERSION, '-V, --version')
    .addHelpText('after', PROGRAM_EXAMPLES + EXIT_TEXT);
  baseCommand(program.command('compare'), world)
    .description('Run the same I/O at stage 0 (scatterlist) and stage 1 (two-step API) and compare.')
    .option(
      '-r, --requests <file>',
      'request list: .jsonl, gzip or plain, - for standard input; may be given again (default: the recorded lists)',
      (file: string, before: readonly string[] | undefined) => [...(before ?? []), file],
    )
    .option('--json', 'print one JSON document (sgfree/compare/v1) instead of a table')
    .option('--seed <n>', 'seed of the data and of the order of events', seedNumber, 1)
    .addOption(
      new Option('--memory <size>', 'RAM of the machine')
        .argParser(memoryBytes)
        .default(DEFAULT_MEMORY_BYTES, sizeText(DEFAULT_MEMORY_BYTES)),
    )
    .addOption(
      new Option('--pages <size>', 'pages behind the buffers (default: derived from the list)').choices([
        '4k',
        '2m',
      ]),
    )
    .addOption(new Option('--plant <fault>', 'break one thing on purpose').choices([...PLANTED_FAULTS]))
    .addHelpText('after', COMPARE_EXAMPLES + EXIT_TEXT)
    .action((raw: RawCompareOptions) => {
      exitCode = runCompare(world, checked(raw));
    });
  baseCommand(program.command('stages'), world)
    .description('Show the road: nine stages, what each makes true, what Linux has merged.')
    .option('--json', 'print one JSON document (sgfree/stages/v1) instead of a table')
    .addHelpText('after', STAGES_EXAMPLES + EXIT_TEXT)
    .action((options: { json?: true }) => {
      exitCode = runStages(world, options);
    });
  try {
    program.parse([...argv], { from: 'user' });
    return exitCode;
  } catch (error) {
    if (error instanceof InputError) {
      world.err(`sgfree: ${error.message}\n`);
      return 2;
    }
    if (error instanceof CommanderError) return error.exitCode === 0 ? 0 : 2;
    throw error;
  }
}

function baseCommand(command: Command, world: World): Command {
  return command
    .allowExcessArguments(false)
    .exitOverride()
    .showSuggestionAfterError()
    .showHelpAfterError(
      `(${command.name() === 'sgfree' ? 'sgfree' : `sgfree ${command.name()}`} --help shows the usage)`,
    )
    .configureOutput({ writeOut: (text) => world.out(text), writeErr: (text) => world.err(text) });
}
