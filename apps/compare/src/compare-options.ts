// `sgfree compare` on the command line: its options, checked, and its help.
// Source followed: the project's command-line conventions.
// Simplified: one seed and one amount of memory for all lists.

import {
  DEFAULT_MEMORY_BYTES,
  GPU_EXCHANGE_PLANTS,
  GUEST_SPACE_DOORS,
  type GuestSpaceDoor,
  MEMORY_LIMITS,
  type PageBacking,
  PLANTED_FAULTS,
} from '@sgfree/roadmap';
import { type Command, InvalidArgumentError, Option } from 'commander';
import { type Ended, EXIT_TEXT, subCommand } from './base-command.ts';
import { type CompareOptions, inExchange, PEER_PLANTED_FAULTS, runCompare } from './compare-command.ts';
import { parseSize, sizeText } from './memory-size.ts';
import {
  addMachineOptions,
  MACHINE_EXAMPLES,
  machineOptions,
  type RawMachineOptions,
} from './real-machine/machine-options.ts';
import { InputError } from './request-list/input-error.ts';
import { chosenStages, GPU_EXCHANGE_STAGE, GUEST_SPACE_STAGE, stageNumber } from './stage-choice.ts';
import type { World } from './world.ts';

const EXAMPLES = `
Examples:
  sgfree compare                                    the recorded I/O shipped with this command, three lists
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
  readonly memory: number;
  readonly pages?: '4k' | '2m';
  readonly stage?: number;
  readonly door?: GuestSpaceDoor;
  readonly plant?: NonNullable<CompareOptions['plant']>;
}

const BACKINGS: Readonly<Record<'4k' | '2m', PageBacking>> = { '4k': 'base-pages', '2m': 'huge-pages' };

/** Adds the command to `program`. */
export function registerCompare(program: Command, world: World, ended: Ended): void {
  const command = subCommand(program, world, 'compare')
    .description(
      'Run the same I/O at stages 0 (scatterlist), 1 (two-step API) and 2 (no struct page) in RAM and in a peer, and at 3 (exported BAR), 4 (no scatterlist in RDMA) and 5 (dma-buf operation without scatterlist) in a peer; at 5 and 6 (revoke) take the BAR back; at 7 a guest maps it; at 8 a GPU shares its memory. Compare.',
    )
    .option(
      '-r, --requests <file>',
      'request list: .jsonl, gzip or plain, - for standard input; may be given again (default: the recorded lists)',
      (file: string, before: readonly string[] | undefined) => [...(before ?? []), file],
    )
    .option('--json', 'print one JSON document (sgfree/compare/v1) instead of a table')
    .option('--html <file>', 'write the whole road as one self-contained page; - for standard output')
    .option(
      '--perfetto <file>',
      'write a trace of every stage for ui.perfetto.dev, 1 µs a clock step; - for standard output',
    )
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
    .addOption(
      new Option('--stage <n>', 'only this stage of the road; 6 to 8 run no request list').argParser(
        stageNumber,
      ),
    )
    .addOption(
      new Option('--door <door>', 'only this door to iommufd, with --stage 7').choices(GUEST_SPACE_DOORS),
    )
    .addOption(
      new Option('--plant <fault>', 'break one thing on purpose').choices([
        ...new Set<string>([...PLANTED_FAULTS, ...PEER_PLANTED_FAULTS, ...GPU_EXCHANGE_PLANTS]),
      ]),
    )
    .addHelpText('after', EXAMPLES + MACHINE_EXAMPLES + EXIT_TEXT);
  addMachineOptions(command).action(async (raw: RawOptions) => ended(await runCompare(world, checked(raw))));
}

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

function checked(raw: RawOptions): CompareOptions {
  const { pages, requests = [], seed, memory, plant, stage, door } = raw;
  if (stage === undefined && !fitsList(plant)) {
    throw new InputError('--plant', 0, `${plant} without --stage`, `--stage ${GPU_EXCHANGE_STAGE}`);
  }
  const machine = machineOptions(raw, plant !== undefined && plant !== 'forced-bus-address');
  return {
    requests,
    seed,
    memory,
    ...outputOptions(raw),
    ...(plant === undefined ? {} : { plant }),
    ...(stage === undefined
      ? {}
      : { stage: checkedStage(stage, plant, machine !== null, requests.length > 0) }),
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

/** False for a fault that no run of a list can have. */
const fitsList = (plant: CompareOptions['plant']): boolean =>
  plant === undefined || [...PLANTED_FAULTS, ...PEER_PLANTED_FAULTS].some((fault) => fault === plant);

/** The door, if its stage was asked for. Throws {@link InputError}. */
function checkedDoor(door: GuestSpaceDoor, stage: number | undefined): GuestSpaceDoor {
  if (stage === GUEST_SPACE_STAGE) return door;
  const found = stage === undefined ? `${door} without --stage` : `${door} beside --stage ${stage}`;
  throw new InputError('--door', 0, found, `--stage ${GUEST_SPACE_STAGE}`);
}

/** The stage, if what else was asked for has a place there. Throws {@link InputError}. */
function checkedStage(
  stage: number,
  plant: CompareOptions['plant'],
  onMachine: boolean,
  ownList: boolean,
): number {
  const { storage, exporting, gpuExchange } = chosenStages(stage);
  if (ownList && storage.length + exporting.length === 0) {
    throw new InputError('--requests', 0, `a list beside --stage ${stage}`, 'a stage that runs a list');
  }
  if (onMachine && storage.length === 0) {
    throw new InputError(
      '--stage',
      0,
      `stage ${stage} beside --topology`,
      'a stage with a storage driver: 0, 1 or 2',
    );
  }
  const fits =
    plant === undefined ||
    (gpuExchange && inExchange(plant)) ||
    (plant !== 'phys-vec-leaks' && fitsList(plant) && storage.length > 0) ||
    (PEER_PLANTED_FAULTS.some((fault) => fault === plant) && exporting.length > 0);
  if (!fits) throw new InputError('--plant', 0, `${plant} beside --stage ${stage}`, 'a fault of that stage');
  return stage;
}
