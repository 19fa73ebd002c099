// `sgfree compare`: the same I/O at two stages of the road, on the same machine, side by side.
// Source followed: the project's main job.
// Simplified: stages 0 and 1, strict mode; several lists run one after the other, each on fresh machines.

import { join } from 'node:path';
import {
  compareVerdict,
  machineShape,
  overallVerdict,
  type PageBacking,
  type PlantedFault,
  runnableStages,
  type StageReport,
  type Verdict,
} from '@sgfree/roadmap';
import { createColors } from 'picocolors';
import { type Comparison, compareDocument } from './compare-json.ts';
import { comparisonText } from './comparison-text.ts';
import { Progress } from './progress.ts';
import { readInput } from './request-list/read-input.ts';
import { parseRequestList, type RequestList } from './request-list/request-list.ts';
import { type World, wantsColour } from './world.ts';

/** Options of the command, checked. */
export interface CompareOptions {
  /** Files to run instead of the recorded lists. */
  readonly requests: readonly string[];
  readonly json?: true;
  readonly seed: number;
  readonly memory: number;
  readonly pages?: PageBacking;
  readonly plant?: PlantedFault;
}

/** The recorded lists shipped with the command. */
const BUNDLED = ['nvio_small.jsonl.gz', 'nvio_huge.jsonl', 'nvio_wide.jsonl.gz'] as const;

/** Runs the comparison; exit code 0 = all right, 1 = a check failed. Throws InputError. */
export function runCompare(world: World, options: CompareOptions): number {
  const lists = readLists(world, options);
  const progress = new Progress(world);
  const comparisons = lists.map((list) => compareList(options, list, progress));
  progress.end();
  const verdict = overallVerdict(comparisons.map((one) => one.verdict));
  if (options.json) world.out(compareDocument(comparisons, options, verdict));
  else world.out(textOf(world, options, comparisons, verdict));
  return verdict.ok ? 0 : 1;
}

/** Everything is read and checked before anything runs: bad input costs no time. */
function readLists(world: World, options: CompareOptions): RequestList[] {
  const machine = machineShape(options.memory);
  const bundled = options.requests.length === 0;
  const paths = bundled ? BUNDLED.map((name) => join(world.requestsFolder, name)) : options.requests;
  return paths.map((path) => {
    const { name, text } = readInput(path, (most) => world.readStdin(most));
    const recorded = /(nvio_[a-z]+)[.]/.exec(path)?.[1] ?? name;
    const source = bundled ? `${recorded} (recorded on Linux 7.3.4, strict mode)` : name;
    return parseRequestList(source, text, machine, options.pages, name);
  });
}

function compareList(options: CompareOptions, list: RequestList, progress: Progress): Comparison {
  const { seed, memory: memoryBytes, plant } = options;
  const { ios, backing } = list;
  const reports = runnableStages.map((stage) =>
    stage.run({
      ios,
      backing,
      seed,
      memoryBytes,
      onIo: (done) => progress.step(`${list.source}: stage ${stage.stage}`, done, ios.length),
      ...(plant === undefined ? {} : { plant }),
    }),
  );
  const [from, to] = reports as [StageReport, StageReport];
  return { list, reports, verdict: compareVerdict(from, to) };
}

function textOf(
  world: World,
  options: CompareOptions,
  comparisons: readonly Comparison[],
  verdict: Verdict,
): string {
  const colours = createColors(wantsColour(world));
  const coloured = ({ ok, line }: Verdict): string => (ok ? colours.green(line) : colours.red(line));
  if (comparisons.length === 1) {
    return `${comparisons.map((one) => comparisonText(world, options, one)).join('')}${coloured(verdict)}\n`;
  }
  const parts = comparisons.map(
    (one) => `${comparisonText(world, options, one)}${coloured(one.verdict)}\n\n`,
  );
  return `${parts.join('')}${coloured(verdict)}\n`;
}
