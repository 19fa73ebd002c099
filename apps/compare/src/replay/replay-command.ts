// `sgfree replay`: a recorded trace of DMA mappings, replayed at every stage under every mode of the IOMMU.
// Source followed: the project's design.
// Simplified: what the trace holds is replayed once; no what-if but stage and mode.

import { type ReplayMode, type ReplayReport, type ReplayStage, TraceReplay } from '@sgfree/roadmap';
import { counted } from '../counted.ts';
import { Progress } from '../progress.ts';
import { InputError } from '../request-list/input-error.ts';
import { grouped } from '../text-table.ts';
import { openTrace, type TraceInput } from '../trace-input/open-trace.ts';
import type { World } from '../world.ts';
import { replayDocument } from './replay-json.ts';
import { replayText } from './replay-text.ts';

/** Options of the command, checked. */
export interface ReplayOptions {
  readonly json: boolean;
  /** Null: every device. */
  readonly device: string | null;
  readonly stages: readonly ReplayStage[];
  readonly modes: readonly ReplayMode[];
}

const EXPECTED = 'kernel trace text with events of dma or iommu';
/** So much without a usable line is no trace. */
const PATIENCE_BYTES = 2 ** 26;
const MIB = 2 ** 20;

/** Reads and replays a trace; exit code 0 = the replay proved itself, 1 = it did not. Throws InputError. */
export async function runReplay(world: World, path: string, options: ReplayOptions): Promise<number> {
  const input = openTrace(path, world);
  const replay = new TraceReplay(options);
  await feed(world, input, replay);
  const report = replay.end();
  const { tally } = replay;
  if (!tally.usable) throw nothingUsable(input, tally.lines);
  if (options.device !== null && report.devices.length === 0)
    throw noSuchDevice(input, options.device, report);
  const replayed = { input, tally, report };
  world.out(options.json ? replayDocument(replayed) : replayText(world, replayed));
  return report.verdict.ok ? 0 : 1;
}

async function feed(world: World, input: TraceInput, replay: TraceReplay): Promise<void> {
  const progress = new Progress(world);
  const { tally } = replay;
  for await (const bytes of input) {
    replay.push(bytes);
    progress.show(
      () => `${grouped(Math.floor(input.bytesRead / MIB))} MiB read, ${grouped(tally.eventLines)} events`,
    );
    if (tally.bytes > PATIENCE_BYTES && !tally.usable) break;
  }
  progress.end();
}

function nothingUsable({ name, damage }: TraceInput, lines: number): InputError {
  const found = lines === 0 ? 'nothing' : `${counted(lines, 'line')} without an event of the DMA layer`;
  return new InputError(name, 0, damage === null ? found : `${damage}, and before that ${found}`, EXPECTED);
}

function noSuchDevice({ name }: TraceInput, device: string, { otherDevices }: ReplayReport): InputError {
  const others =
    otherDevices.length === 0 ? 'a trace that names devices' : `one of ${otherDevices.join(', ')}`;
  return new InputError(name, 0, `no mapping of ${device}`, others);
}
