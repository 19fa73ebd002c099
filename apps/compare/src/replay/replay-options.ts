// `sgfree replay` on the command line: its options, checked, and its help.
// Source followed: the project's command-line conventions.
// Simplified: stages 0 and 1.

import { REPLAY_MODES, REPLAY_STAGES, type ReplayMode, type ReplayStage } from '@sgfree/roadmap';
import { formatPciAddress, parsePciAddress } from '@sgfree/topology';
import { type Command, InvalidArgumentError, Option } from 'commander';
import { type Ended, EXIT_TEXT, subCommand } from '../base-command.ts';
import { mayRepeat } from '../option-guard.ts';
import type { World } from '../world.ts';
import { type ReplayOptions, runReplay } from './replay-command.ts';

const EXAMPLES = `
Examples:
  sgfree replay trace.txt.gz                              every device, six runs side by side
  sgfree replay trace.txt --device 0000:01:00.0 --json    one device, for programs
  cat /sys/kernel/tracing/trace_pipe | sgfree replay -    as it comes; ends with the pipe or Ctrl-C
  sgfree replay trace.txt --mode strict --mode lazy       what lazy mode would save

A trace is the kernel's own text (trace, trace_pipe, trace-cmd report, perf script) with the events
dma:* and iommu:*; record it with: trace-cmd record -e dma -e iommu.
A leak or misuse that the trace shows is an answer: the exit status stays 0.
`;

interface RawOptions {
  readonly json?: true;
  readonly device?: string;
  readonly stage?: readonly ReplayStage[];
  readonly mode?: readonly ReplayMode[];
}

/** Adds the command to `program`. */
export function registerReplay(program: Command, world: World, ended: Ended): void {
  subCommand(program, world, 'replay')
    .description(
      'Replay a kernel trace of DMA mappings at stages 0 and 1 under strict, lazy and passthrough.',
    )
    .argument('<trace>', 'trace text, plain or gzip; - for standard input')
    .option('--json', 'print one JSON document (sgfree/replay/v1) instead of tables')
    .option(
      '--device <name>',
      'replay the mappings of this device only, as the trace names it, or of this task (VFIO); 0000: may be left out',
      deviceName,
    )
    .addOption(choice('--stage <n>', 'run this stage only; may be given again', REPLAY_STAGES.map(String)))
    .addOption(choice('--mode <mode>', 'run this mode only; may be given again', REPLAY_MODES))
    .addHelpText('after', EXAMPLES + EXIT_TEXT)
    .action(async (path: string, raw: RawOptions) => ended(await runReplay(world, path, checked(raw))));
}

/** The name as traces have it: a PCI address with its domain, anything else as it is. */
function deviceName(text: string): string {
  if (text === '') throw new InvalidArgumentError('the name of a device or task');
  const place = parsePciAddress(text);
  return place === undefined ? text : formatPciAddress(place);
}

/** An option that may be given several times, each time one of `choices`. */
function choice(flags: string, description: string, choices: readonly string[]): Option {
  const option = new Option(flags, description).choices([...choices]);
  const one = option.parseArg as (text: string, before: undefined) => string;
  return mayRepeat(
    option.argParser((text: string, before: readonly string[] | undefined) => [
      ...(before ?? []),
      one.call(option, text, undefined),
    ]),
  );
}

function checked({ json, device, stage, mode }: RawOptions): ReplayOptions {
  return {
    json: json === true,
    device: device ?? null,
    stages:
      stage === undefined ? REPLAY_STAGES : REPLAY_STAGES.filter((one) => stage.map(Number).includes(one)),
    modes: mode === undefined ? REPLAY_MODES : REPLAY_MODES.filter((one) => mode.includes(one)),
  };
}
