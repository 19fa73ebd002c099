// The command line of the bench runner: options, exit codes and which stream says what. Every case is proven before
// it is timed, and a case that cannot be proven is not timed.
// Exit 0: every case was proven and measured; 1: a case could not be proven; 2: the command cannot be carried out.
// Simplified: all cases run in one process, one after the other.

import { Command, CommanderError, InvalidArgumentError } from 'commander';
import type { BenchCase } from './bench-case.ts';
import { type BenchResult, benchJson, benchTable, YARDSTICK } from './bench-report.ts';
import { type MeasurePlan, measure, type NanosecondClock } from './measure.ts';
import { nativeFigures } from './native-figures.ts';
import { runYardstick } from './yardstick.ts';

/** The outside world as the command sees it. */
export interface BenchWorld {
  readonly cases: readonly BenchCase[];
  readonly stderrIsTerminal: boolean;
  readonly nodeVersion: string;
  /** How long a sample and the warm-up last, in nanoseconds. */
  readonly sampleNs: number;
  readonly warmUpNs: number;
  readonly clock: NanosecondClock;
  out(text: string): void;
  err(text: string): void;
}

interface Options {
  readonly json?: true;
  readonly filter?: string;
  readonly samples: number;
}

const VERSION = '0.0.0';
const HELP_HINT = '(bench --help lists the options)';
const DEFAULT_SAMPLES = 9;

function positiveInteger(text: string): number {
  if (!/^[1-9]\d{0,5}$/.test(text)) throw new InvalidArgumentError('not a whole number above 0');
  return Number(text);
}

function parseOptions(argv: readonly string[], world: BenchWorld): Options {
  const command = new Command('bench')
    .description('Times operations of the model, each proven correct before it is timed.')
    .option('--json', 'print one JSON document (sgfree/bench/v1) instead of a table')
    .option('--filter <text>', 'only cases whose name contains this text (any case)')
    .option('--samples <n>', 'samples per case', positiveInteger, DEFAULT_SAMPLES)
    .version(VERSION, '-V, --version')
    .addHelpText(
      'after',
      `\nOne yardstick is ${YARDSTICK}; its samples alternate with those of the case.\n` +
        '\nExamples:\n' +
        '  bench --filter iova           the cases with this text in their name\n' +
        '  bench --json --samples 3      quick figures for programs\n\n' +
        'Exit status: 0 all cases measured, 1 a case could not be proven, 2 bad usage.',
    )
    .allowExcessArguments(false)
    .showHelpAfterError(HELP_HINT)
    .exitOverride()
    .configureOutput({ writeOut: (text) => world.out(text), writeErr: (text) => world.err(text) });
  command.parse([...argv], { from: 'user' });
  return command.opts<Options>();
}

function runCase(benchCase: BenchCase, plan: MeasurePlan, clock: NanosecondClock): BenchResult {
  const native = nativeFigures[benchCase.name] ?? null;
  const { name, operation } = benchCase;
  try {
    const prepared = benchCase.prepare();
    const measurement = measure((operations) => prepared.run(operations), runYardstick, plan, clock);
    return { name, operation, native, measurement, rates: prepared.rates ?? [], failure: null };
  } catch (error) {
    const failure = error instanceof Error ? `${error.name}: ${error.message}` : String(error);
    return { name, operation, native, measurement: null, rates: [], failure };
  }
}

function chosenCases(world: BenchWorld, options: Options): readonly BenchCase[] {
  const filter = options.filter?.toLowerCase() ?? '';
  return world.cases.filter(({ name }) => name.toLowerCase().includes(filter));
}

function runCases(cases: readonly BenchCase[], world: BenchWorld, options: Options): BenchResult[] {
  const plan = { samples: options.samples, sampleNs: world.sampleNs, warmUpNs: world.warmUpNs };
  const results = cases.map((benchCase, index) => {
    if (world.stderrIsTerminal) world.err(`\r\u001b[K${index + 1}/${cases.length} ${benchCase.name}`);
    return runCase(benchCase, plan, world.clock);
  });
  if (world.stderrIsTerminal) world.err('\r\u001b[K');
  return results;
}

/** Runs the command; the answer is the exit status. */
export function runBench(argv: readonly string[], world: BenchWorld): number {
  let options: Options;
  try {
    options = parseOptions(argv, world);
  } catch (error) {
    if (!(error instanceof CommanderError)) throw error;
    return error.exitCode === 0 ? 0 : 2;
  }
  const cases = chosenCases(world, options);
  if (cases.length === 0) {
    world.err(`bench: --filter ${options.filter ?? ''}: no case matches\n${HELP_HINT}\n`);
    return 2;
  }
  const results = runCases(cases, world, options);
  const report = options.json
    ? JSON.stringify(benchJson(results, world.nodeVersion), null, 1)
    : `${benchTable(results)}\n\nyardstick: ${YARDSTICK}`;
  world.out(`${report}\n`);
  return results.some(({ failure }) => failure !== null) ? 1 : 0;
}
