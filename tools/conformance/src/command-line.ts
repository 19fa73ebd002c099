// The command line of the conformance runner: options, exit codes and which stream says what.
// Exit 0: everything agreed; 1: a record differs, a file cannot be replayed, no file holds a record, or an alteration went
// unnoticed;
// 2: the command cannot be carried out. Data goes to stdout, everything else to stderr.
// Simplified: one command; `--filter` is a plain substring, not a pattern.

import { existsSync } from 'node:fs';
import { resolve } from 'node:path';
import { Command, CommanderError } from 'commander';
import picocolors from 'picocolors';
import { companionReport } from './companion-report.ts';
import { type FoundFile, findRecordFiles } from './find-record-files.ts';
import { jsonReport } from './json-report.ts';
import { type ProgressLine, progressLine } from './progress-line.ts';
import { type FileResult, matchesFilter, replayFile } from './replay-file.ts';
import { runSelfTest } from './self-test/self-test.ts';
import { selfTestReport } from './self-test/self-test-report.ts';
import type { Suite } from './suite.ts';
import { type Colors, closingLines, countRecords, fileLine } from './text-report.ts';

/** The outside world as the command sees it. */
export interface CommandWorld {
  readonly suites: readonly Suite[];
  readonly defaultVectors: string;
  /** Folders against which a relative `--vectors` is tried, in order. */
  readonly workingFolders: readonly string[];
  readonly env: Readonly<Record<string, string | undefined>>;
  readonly stdoutIsTerminal: boolean;
  readonly stderrIsTerminal: boolean;
  out(text: string): void;
  err(text: string): void;
}

interface Options {
  readonly vectors?: string;
  readonly filter?: string;
  readonly json?: true;
  readonly selfTest?: true;
}

const VERSION = '0.0.0';

/** A command that cannot be carried out. */
class UsageError extends Error {
  override readonly name = 'UsageError';
}

function parseOptions(argv: readonly string[], world: CommandWorld): Options {
  const command = new Command('conformance')
    .description('Replays recorded kernel behaviour and compares every recorded result.')
    .option('--vectors <dir>', 'folder (or one file) with .jsonl and .jsonl.gz records', undefined)
    .option('--filter <text>', 'only files whose name or suite contains this text (any case)')
    .option('--json', 'print one JSON document (sgfree/conformance/v1) instead of lines')
    .option('--self-test', 'alter each recorded result, one at a time, and demand that it is noticed')
    .version(VERSION, '-V, --version')
    .addHelpText(
      'after',
      '\nWithout --vectors the records of this repository are replayed.\n' +
        '\nExamples:\n' +
        '  conformance --filter dma_iova             the files of one suite\n' +
        '  conformance --vectors DIR --json          other records, for programs\n' +
        '  conformance --self-test --filter native/  would a wrong record be noticed?\n\n' +
        'Exit status: 0 everything agreed, 1 a difference, a broken file or no record, 2 bad usage.',
    )
    .allowExcessArguments(false)
    .showHelpAfterError('(conformance --help lists the options)')
    .exitOverride()
    .configureOutput({ writeOut: (text) => world.out(text), writeErr: (text) => world.err(text) });
  command.parse([...argv], { from: 'user' });
  return command.opts<Options>();
}

function vectorsFolder(options: Options, world: CommandWorld): string {
  if (options.vectors === undefined) return world.defaultVectors;
  if (options.vectors === '') throw new UsageError('--vectors names no file or folder');
  for (const folder of world.workingFolders) {
    const path = resolve(folder, options.vectors);
    if (existsSync(path)) return path;
  }
  throw new UsageError(`--vectors ${options.vectors}: no such file or folder`);
}

function useColors(world: CommandWorld): boolean {
  if ((world.env['NO_COLOR'] ?? '') !== '') return false;
  const forced = world.env['FORCE_COLOR'] ?? '';
  return forced !== '' && forced !== '0' ? true : world.stdoutIsTerminal;
}

function replayAll(
  files: readonly FoundFile[],
  options: Options,
  world: CommandWorld,
  progress: ProgressLine,
  colors: Colors,
): FileResult[] {
  return files.map((file, index) => {
    progress.show(`${index + 1}/${files.length} ${file.name}`);
    const result = replayFile(file, world.suites);
    progress.clear();
    if (!options.json) world.out(`${fileLine(result, colors)}\n`);
    return result;
  });
}

function filesBelow(folder: string): FoundFile[] {
  try {
    return findRecordFiles(folder);
  } catch (error) {
    throw new UsageError(`--vectors ${folder}: ${(error as Error).message}`);
  }
}

function chosenFiles(options: Options, world: CommandWorld): FoundFile[] {
  const folder = vectorsFolder(options, world);
  const files = filesBelow(folder);
  if (files.length === 0) throw new UsageError(`${folder}: no .jsonl or .jsonl.gz file below it`);
  const { filter } = options;
  if (filter === undefined) return files;
  const chosen = files.filter((file) => matchesFilter(file, world.suites, filter));
  if (chosen.length === 0) throw new UsageError(`--filter ${filter}: no record file or suite matches`);
  return chosen;
}

function runReplay(files: readonly FoundFile[], options: Options, world: CommandWorld): number {
  const colors = picocolors.createColors(useColors(world));
  const progress = progressLine((text) => world.err(text), world.stderrIsTerminal);
  const results = replayAll(files, options, world, progress, colors);
  const companions = companionReport(files, results);
  if (options.json) world.out(`${JSON.stringify(jsonReport(results, companions), null, 1)}\n`);
  else for (const line of closingLines(results, companions, colors)) world.out(`${line}\n`);
  const { passed, failed, skipped } = countRecords(results);
  if (passed + failed + skipped > 0) return failed > 0 ? 1 : 0;
  world.err('conformance: no file holds a record\n');
  return 1;
}

/** Runs the command; the answer is the exit status. */
export function runCommand(argv: readonly string[], world: CommandWorld): number {
  try {
    const options = parseOptions(argv, world);
    const files = chosenFiles(options, world);
    if (!options.selfTest) return runReplay(files, options, world);
    const progress = progressLine((text) => world.err(text), world.stderrIsTerminal);
    const report = runSelfTest(files, world.suites, progress);
    progress.clear();
    const printed = selfTestReport(report);
    world.out(options.json ? `${JSON.stringify(printed.json, null, 1)}\n` : `${printed.lines.join('\n')}\n`);
    return printed.passed ? 0 : 1;
  } catch (error) {
    if (error instanceof CommanderError) return error.exitCode === 0 ? 0 : 2;
    if (!(error instanceof UsageError)) throw error;
    world.err(`conformance: ${error.message}\n(conformance --help lists the options)\n`);
    return 2;
  }
}
