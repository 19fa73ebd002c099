// `sgfree compare` on the command line: its options, checked, and its help.
// Source followed: the project's command-line conventions.
// Simplified: one seed and one amount of memory for all lists.

import {
  DEFAULT_MEMORY_BYTES,
  GUEST_SPACE_DOORS,
  type GuestSpaceDoor,
  MEMORY_LIMITS,
  type PageBacking,
} from '@sgfree/roadmap';
import { type Command, InvalidArgumentError, Option } from 'commander';
import { type Ended, EXIT_TEXT, subCommand } from './base-command.ts';
import { type CompareOptions, runCompare } from './compare-command.ts';
import { parseSize, sizeText } from './memory-size.ts';
import { mayRepeat } from './option-guard.ts';
import { fitsList, PLANTS, type PlantName, plantsOf, plantsText } from './plant-choice.ts';
import {
  addMachineOptions,
  MACHINE_EXAMPLES,
  machineOptions,
  type RawMachineOptions,
} from './real-machine/machine-options.ts';
import { InputError } from './request-list/input-error.ts';
import {
  chosenStages,
  GPU_EXCHANGE_STAGE,
  GUEST_SPACE_STAGE,
  runsLists,
  stageNumber,
} from './stage-choice.ts';
import type { World } from './world.ts';

const EXAMPLES = `
Examples:
  sgfree compare                                    all nine stages; at 0 to 5 the recorded I/O shipped with this command
  sgfree compare --requests nvio_small.jsonl.gz     your own list
  zcat list.jsonl.gz | sgfree compare -r - --json   from standard input, for programs
  sgfree compare --html road.html --perfetto road.pftrace   every stage as a page with charts, and as a trace
  sgfree compare --plant skipped-invalidation       see a check fail
  sgfree compare --plant forced-bus-address         the same for data in a peer's BAR
  sgfree compare --stage 5 --json                   the operation without scatterlist, the deprecated one beside it
  sgfree compare --stage 6                          a BAR taken back while peers work on it
  sgfree compare --stage 7                          a guest's address space by each of three doors, the BAR taken back
  sgfree compare --stage 7 --door converter --json  by one door, for programs
  sgfree compare --stage 8                          a GPU's memory shared without a scatterlist, with two of today beside it
  sgfree compare --stage 8 --plant deaf             an importer that goes on when the memory moves
  sgfree compare --stage 3 --plant phys-vec-leaks   an exported BAR with a leak that Linux 7.3.4 has

A request list has one JSON object a line:
  {"op":"read","pos":4096,"total":4096,"iov":[[4096,[["0x10ac28000",4096]]]]}
pos is the byte offset on the disk; iov lists per iovec its length and its physical pieces [address, bytes].
`;

interface RawOptions extends RawMachineOptions {
  readonly requests?: readonly string[];
  readonly json?: true;
  readonly html?: string;
  readonly perfetto?: string;
  readonly seed: number;
  readonly memory?: number;
  readonly pages?: '4k' | '2m';
  readonly stage?: number;
  readonly door?: GuestSpaceDoor;
  readonly plant?: PlantName;
}

const BACKINGS: Readonly<Record<'4k' | '2m', PageBacking>> = { '4k': 'base-pages', '2m': 'huge-pages' };

/** Adds the command to `program`. */
export function registerCompare(program: Command, world: World, ended: Ended): void {
  const command = subCommand(program, world, 'compare')
    .description(
      'Run all nine stages, or one: the same I/O at stages 0 (scatterlist), 1 (two-step API) and 2 (no struct page) in RAM and in a peer, and at 3 (exported BAR), 4 (no scatterlist in RDMA) and 5 (dma-buf operation without scatterlist) in a peer; at 5 and 6 (revoke) take the BAR back; at 7 a guest maps it; at 8 a GPU shares its memory. Compare.',
    )
    .addOption(
      mayRepeat(
        new Option(
          '-r, --requests <file>',
          'request list: .jsonl, gzip or plain, - for standard input; may be given again (default: the recorded lists)',
        ).argParser((file: string, before: readonly string[] | undefined) => [...(before ?? []), file]),
      ),
    )
    .option(
      '--json',
      'print one JSON document instead of a table: sgfree/compare/v1, with --topology sgfree/compare-machine/v1',
    )
    .option('--html <file>', 'write the whole road as one self-contained page; - for standard output')
    .option(
      '--perfetto <file>',
      'write a trace of every stage for ui.perfetto.dev, 1 µs a clock step; - for standard output',
    )
    .option('--seed <n>', 'seed of the data and of the order of events', seedNumber, 1)
    .addOption(
      new Option(
        '--memory <size>',
        `RAM of the machine, at stages that run a list (default: ${sizeText(DEFAULT_MEMORY_BYTES)})`,
      ).argParser(memoryBytes),
    )
    .addOption(
      new Option('--pages <size>', 'pages behind the buffers (default: derived from the list)').choices([
        '4k',
        '2m',
      ]),
    )
    .addOption(
      new Option('--stage <n>', 'only this stage of the road; 6 to 8 run no request list').argParser(
        stageNumber,
      ),
    )
    .addOption(
      new Option('--door <door>', 'only this door to iommufd, with --stage 7').choices(GUEST_SPACE_DOORS),
    )
    .addOption(
      new Option('--plant <fault>', 'break one thing on purpose; not every stage has every fault').choices(
        PLANTS,
      ),
    )
    .addHelpText('after', EXAMPLES + MACHINE_EXAMPLES + plantsText() + EXIT_TEXT);
  addMachineOptions(command).action(async (raw: RawOptions) => ended(await runCompare(world, checked(raw))));
}

function seedNumber(text: string): number {
  const value = /^\d{1,10}$/.test(text) ? Number(text) : Number.NaN;
  if (!(value < 2 ** 32)) throw new InvalidArgumentError('a whole number from 0 to 4294967295');
  return value;
}

function memoryBytes(text: string): number {
  const bytes = parseSize(text);
  const { least, most } = MEMORY_LIMITS;
  if (bytes === null || bytes < least || bytes > most || bytes % 2 ** 20 !== 0) {
    throw new InvalidArgumentError(
      `a size in whole MiB from ${sizeText(least)} to ${sizeText(most)}, such as 3G`,
    );
  }
  return bytes;
}

function checked(raw: RawOptions): CompareOptions {
  const { pages, requests = [], seed, memory, plant, stage, door } = raw;
  if (stage === undefined && plant !== undefined && !fitsList(plant)) {
    throw new InputError('--plant', 0, `${plant} without --stage`, `--stage ${GPU_EXCHANGE_STAGE}`);
  }
  if (requests.filter((file) => file === '-').length > 1)
    throw new InputError('--requests', 0, 'standard input twice', 'it once');
  const machine = machineOptions(raw, plant !== undefined && plant !== 'forced-bus-address');
  if (stage !== undefined) checkStage(stage, raw, machine !== null);
  return {
    requests,
    seed,
    memory: memory ?? DEFAULT_MEMORY_BYTES,
    ...outputOptions(raw),
    ...(plant === undefined ? {} : { plant }),
    ...(stage === undefined ? {} : { stage }),
    ...(door === undefined ? {} : { door: checkedDoor(door, stage) }),
    ...(pages === undefined ? {} : { pages: BACKINGS[pages] }),
    ...(machine === null ? {} : { machine }),
  };
}

/** What is written where. Throws {@link InputError} where there is no whole road to write, or two things for one stream. */
function outputOptions({ json, html, perfetto, stage, topology }: RawOptions): Partial<CompareOptions> {
  for (const [name, file] of Object.entries({ '--html': html, '--perfetto': perfetto })) {
    if (file === undefined) continue;
    if (stage !== undefined) throw new InputError(name, 0, `a file beside --stage ${stage}`, 'every stage');
    if (topology !== undefined)
      throw new InputError(name, 0, 'a file beside --topology', "the project's machine");
  }
  const onStdout = [json === true, html === '-', perfetto === '-'].filter((taken) => taken).length;
  if (onStdout > 1) throw new InputError('-', 0, 'two outputs on standard output', 'one');
  return {
    ...(json === undefined ? {} : { json }),
    ...(html === undefined ? {} : { html }),
    ...(perfetto === undefined ? {} : { perfetto }),
  };
}

/** The door, if its stage was asked for. Throws {@link InputError}. */
function checkedDoor(door: GuestSpaceDoor, stage: number | undefined): GuestSpaceDoor {
  if (stage === GUEST_SPACE_STAGE) return door;
  const found = stage === undefined ? `${door} without --stage` : `${door} beside --stage ${stage}`;
  throw new InputError('--door', 0, found, `--stage ${GUEST_SPACE_STAGE}`);
}

/** Checks that what else was asked for has a place at `stage`. Throws {@link InputError}. */
function checkStage(stage: number, { requests, memory, pages, plant }: RawOptions, onMachine: boolean): void {
  const choice = chosenStages(stage);
  const ofLists = Object.entries({ '--requests': requests, '--memory': memory, '--pages': pages });
  const stray = ofLists.find(([, value]) => value !== undefined)?.[0];
  if (stray !== undefined && !runsLists(choice))
    throw new InputError(stray, 0, `the option beside --stage ${stage}`, 'a stage that runs a request list');
  if (onMachine && choice.storage.length === 0) {
    throw new InputError(
      '--stage',
      0,
      `stage ${stage} beside --topology`,
      'a stage with a storage driver: 0, 1 or 2',
    );
  }
  if (plant !== undefined) checkPlant(plant, stage);
}

/** Throws {@link InputError} for a fault that the stage cannot have. */
function checkPlant(plant: PlantName, stage: number): void {
  const plants = plantsOf(stage);
  if (plants.includes(plant)) return;
  const expected = plants.length === 0 ? `no fault: stage ${stage} has none` : `one of ${plants.join(', ')}`;
  throw new InputError('--plant', 0, `${plant} beside --stage ${stage}`, expected);
}
