// `sgfree compare`: every stage of the road side by side: the same I/O with its data in RAM, then in a peer's BAR; then, with
// traffic of their own, a BAR that is taken back while it is in use, and a card's memory that moves.
// Source followed: the project's main job.
// Simplified: data in RAM in strict mode only; several lists run one after the other, each on fresh machines.

import { join } from 'node:path';
import {
  compareVerdict,
  type ExportedBarFault,
  GPU_EXCHANGE_PLANTS,
  type GpuExchangePlant,
  type GuestSpaceDoor,
  machineShape,
  overallVerdict,
  type PageBacking,
  PLANTED_FAULTS,
  type PlantedFault,
  type RunnableStage,
  type Verdict,
} from '@sgfree/roadmap';
import { createColors } from 'picocolors';
import { type Comparison, compareDocument, type Shown } from './compare-json.ts';
import { peerText } from './compare-peer-text.ts';
import { comparePeers, type PeerComparisons } from './compare-peers.ts';
import { comparisonText } from './comparison-text.ts';
import { type GpuExchangePart, gpuExchangePart } from './gpu-exchange/gpu-exchange-part.ts';
import { gpuExchangeText } from './gpu-exchange/gpu-exchange-text.ts';
import { type GuestSpacePart, guestSpacePart } from './guest-space/guest-space-part.ts';
import { guestSpaceText } from './guest-space/guest-space-text.ts';
import { ComparisonOutputs } from './output/comparison-outputs.ts';
import { Progress } from './progress.ts';
import { machineDocument } from './real-machine/machine-json.ts';
import type { MachineOptions } from './real-machine/machine-options.ts';
import { machinePair } from './real-machine/machine-pair.ts';
import { runMachine } from './real-machine/machine-run.ts';
import { machineText } from './real-machine/machine-text.ts';
import { readInput } from './request-list/read-input.ts';
import { parseRequestList, type RequestList } from './request-list/request-list.ts';
import { type RevokePart, revokePart } from './revoke/revoke-part.ts';
import { revokeText } from './revoke/revoke-text.ts';
import { roadTable } from './road/road-table.ts';
import { roadText } from './road/road-text.ts';
import { chosenStages, runsLists } from './stage-choice.ts';
import { type World, wantsColour } from './world.ts';

/** Options of the command, checked. */
export interface CompareOptions {
  /** Files to run instead of the recorded lists. */
  readonly requests: readonly string[];
  readonly json?: true;
  readonly seed: number;
  readonly memory: number;
  readonly pages?: PageBacking;
  readonly plant?: PlantedFault | PeerPlantedFault | GpuExchangePlant;
  /** Files for the page and for the trace; `-` = standard output. */
  readonly html?: string;
  readonly perfetto?: string;
  /** Only this stage; default all that can be run. */
  readonly stage?: number;
  /** Only this door of stage 7; default all. */
  readonly door?: GuestSpaceDoor;
  /** Run between two functions of a real machine instead. */
  readonly machine?: MachineOptions;
}

/** A fault that only a run with data in a peer's BAR can have. */
export type PeerPlantedFault = ExportedBarFault;

/** Those faults, by their names on the command line. */
export const PEER_PLANTED_FAULTS: readonly PeerPlantedFault[] = ['forced-bus-address', 'phys-vec-leaks'];

/** True for a fault of a run with data in a peer's BAR. */
const inPeer = (plant: CompareOptions['plant']): plant is PeerPlantedFault =>
  PEER_PLANTED_FAULTS.some((fault) => fault === plant);

/** True for a fault of a run with data in RAM. */
const inRam = (plant: CompareOptions['plant']): plant is PlantedFault =>
  PLANTED_FAULTS.some((fault) => fault === plant);

/** True for a fault of an exchange with a card's memory. */
export const inExchange = (plant: CompareOptions['plant']): plant is GpuExchangePlant =>
  GPU_EXCHANGE_PLANTS.some((fault) => fault === plant);

/** The recorded lists shipped with the command. */
const BUNDLED = ['nvio_small.jsonl.gz', 'nvio_huge.jsonl', 'nvio_wide.jsonl.gz'] as const;

/** Runs the comparison; exit code 0 = all right, 1 = a check failed. Throws InputError. */
export async function runCompare(world: World, options: CompareOptions): Promise<number> {
  const outputs = new ComparisonOutputs(world, options);
  try {
    return await compared(world, options, outputs);
  } finally {
    outputs.close();
  }
}

async function compared(world: World, options: CompareOptions, outputs: ComparisonOutputs): Promise<number> {
  const lists = runsLists(chosenStages(options.stage)) ? readLists(world, options) : [];
  const progress = new Progress(world);
  if (options.machine !== undefined)
    return await compareOnMachine(world, options, options.machine, lists, progress);
  const stages = chosenStages(options.stage);
  const inRam = stages.storage.length === 0 ? [] : lists;
  const comparisons = inRam.map((list) => compareList(options, list, stages.storage, progress));
  const peers = comparePeersOf(lists[0] as RequestList, options, progress);
  const rangeListRevoke =
    stages.rangeListRevoke && revokesWanted(options) && options.plant === undefined
      ? revokePart({ seed: options.seed, stage: 5 }, progress)
      : null;
  const revoke =
    stages.revoke && revokesWanted(options) ? revokePart({ seed: options.seed }, progress) : null;
  const guestSpace = stages.guestSpace && revokesWanted(options) ? guestSpacePart(options, progress) : null;
  const gpuExchange = stages.gpuExchange && revokesWanted(options) ? exchangesOf(options, progress) : null;
  progress.end();
  const parts = [...partsOf(rangeListRevoke, revoke), ...partsOf(guestSpace), ...partsOf(gpuExchange)];
  const judged = [...comparisons, ...(peers?.comparisons ?? []), ...parts];
  const verdict = overallVerdict(judged.map((one) => one.verdict));
  const ran = { comparisons, peers, rangeListRevoke, revoke, guestSpace, gpuExchange };
  const shown = { ...ran, road: options.stage === undefined ? roadTable(ran) : null };
  // Printed first: a file that cannot be written must not take the answer with it.
  if (options.json) world.out(compareDocument(shown, options, verdict));
  else if (!outputs.tookStdout) world.out(textOf(world, options, shown, verdict, judged.length));
  await outputs.write({ shown, options, verdict, list: lists[0] as RequestList });
  return verdict.ok ? 0 : 1;
}

const partsOf = <Part extends RevokePart | GuestSpacePart | GpuExchangePart>(
  ...parts: readonly (Part | null)[]
): Part[] => parts.filter((part) => part !== null);

/** A revoke runs no list: it is not shown beside a list of the user's own or a fault of other stages, unless asked for. */
const revokesWanted = ({ plant, requests, stage }: CompareOptions): boolean =>
  stage !== undefined || (plant === undefined && requests.length === 0);

/** The same on a real machine: in a peer's BAR only. */
async function compareOnMachine(
  world: World,
  { seed, plant, stage, json }: CompareOptions,
  machine: MachineOptions,
  [list]: readonly RequestList[],
  progress: Progress,
): Promise<number> {
  const pair = await machinePair(world, machine);
  const stages = chosenStages(stage).storage;
  const run = { seed, stages, ...(plant === 'forced-bus-address' ? { plant } : {}) };
  const comparison = runMachine(pair, list as RequestList, run, progress);
  progress.end();
  const { verdict } = comparison;
  if (json) world.out(machineDocument(comparison, seed));
  else world.out(`${machineText(world, comparison, colouring(world))}\n${colouring(world)(verdict)}\n`);
  return verdict.ok ? 0 : 1;
}

function colouring(world: World): (verdict: Verdict) => string {
  const colours = createColors(wantsColour(world));
  return ({ ok, line }) => (ok ? colours.green(line) : colours.red(line));
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

/** Null where no stage of them was asked for, or a fault was put into the runs in RAM: that needs nothing beside it. */
function comparePeersOf(
  list: RequestList,
  { seed, plant, stage }: CompareOptions,
  progress: Progress,
): PeerComparisons | null {
  const stages = chosenStages(stage);
  if (stages.storage.length + stages.exporting.length === 0) return null;
  if (plant === undefined) return comparePeers(list, { seed, stages }, progress);
  return inPeer(plant) ? comparePeers(list, { seed, plant, stages }, progress) : null;
}

const exchangesOf = ({ seed, plant }: CompareOptions, progress: Progress): GpuExchangePart =>
  gpuExchangePart(inExchange(plant) ? { seed, plant } : { seed }, progress);

function compareList(
  { seed, memory: memoryBytes, plant }: CompareOptions,
  list: RequestList,
  stages: readonly RunnableStage[],
  progress: Progress,
): Comparison {
  const { ios, backing } = list;
  const reports = stages.map((stage) =>
    stage.run({
      ios,
      backing,
      seed,
      memoryBytes,
      onIo: (done) => progress.step(`${list.source}: stage ${stage.stage}`, done, ios.length),
      ...(inRam(plant) ? { plant } : {}),
    }),
  );
  return { list, reports, verdict: compareVerdict(...reports) };
}

function textOf(
  world: World,
  options: CompareOptions,
  { comparisons, peers, rangeListRevoke, revoke, guestSpace, gpuExchange, road }: Shown,
  verdict: Verdict,
  judged: number,
): string {
  const coloured = colouring(world);
  const parts = comparisons.map((one) => `${comparisonText(world, options, one)}${coloured(one.verdict)}\n`);
  if (peers !== null) parts.push(peerText(world, peers, coloured));
  parts.push(...partsOf(rangeListRevoke, revoke).map((part) => revokeText(world, part, coloured)));
  if (guestSpace !== null) parts.push(guestSpaceText(world, guestSpace, coloured));
  if (gpuExchange !== null) parts.push(gpuExchangeText(world, gpuExchange, coloured));
  if (road !== null) parts.push(roadText(world, road));
  // Over one comparison the last line would say the same again.
  if (parts.length > 1 || judged > 1) parts.push(`${coloured(verdict)}\n`);
  return parts.join('\n');
}
