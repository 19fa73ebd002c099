// `sgfree blame`: who owned the address of an IOMMU fault, since when, until when, and why it may have faulted.
// Source followed: the project's command-line conventions; a fault that is found is an answer, not a failed check.
// Simplified: answers come when the trace has ended.

import { formatPciAddress, parsePciAddress } from '@sgfree/topology';
import { Blame, type BlameOptions, TraceReader } from '@sgfree/trace';
import { type Command, InvalidArgumentError } from 'commander';
import { type Ended, EXIT_TEXT, subCommand } from './base-command.ts';
import { blameDocument } from './blame-json.ts';
import { blameText } from './blame-text.ts';
import { counted } from './counted.ts';
import { InputError } from './request-list/input-error.ts';
import { openTrace } from './trace-input/open-trace.ts';
import type { World } from './world.ts';

const EXAMPLES = `
Examples:
  sgfree blame trace.txt                          every IOMMU fault in the trace
  sgfree blame trace.txt.gz --address 0xfd340000  who had this address, fault or not
  sgfree blame - --device 0000:01:00.0 --json     from standard input, one device, for programs

A trace is the kernel's text: trace, trace_pipe, trace-cmd report or perf script, with dma:* and iommu:* events;
kernel log lines of AMD-Vi and DMAR faults may stand in the same file.
`;
const LEAST_HISTORY = 1000;
const MOST_HISTORY = 100_000_000;

interface RawOptions {
  readonly address?: string;
  readonly device?: string;
  readonly history: number;
  readonly json?: true;
}

/** Adds the command to `program`. */
export function registerBlame(program: Command, world: World, ended: Ended): void {
  subCommand(program, world, 'blame')
    .description('Tell whose the address of an IOMMU fault was, and why it may have faulted.')
    .argument('<trace>', 'kernel trace text, plain or gzip; - for standard input')
    .option('--address <hex>', 'tell of this address instead of all faults', hexAddress)
    .option(
      '--device <bdf>',
      'tell of this device only, such as 0000:01:00.0; 0000: may be left out',
      pciAddress,
    )
    .option('--history <n>', 'ended mappings to remember', historyLength, 1_000_000)
    .option('--json', 'print one JSON document (sgfree/blame/v1) instead of text')
    .addHelpText('after', EXAMPLES + EXIT_TEXT)
    .action(async (path: string, raw: RawOptions) => ended(await runBlame(world, path, raw)));
}

/** Reads the trace and answers; exit code 0 whatever the answer is. Throws InputError. */
async function runBlame(world: World, path: string, { json, ...options }: RawOptions): Promise<number> {
  const input = openTrace(path, world);
  const blame = new Blame(options satisfies BlameOptions);
  const { device } = options;
  // The kernel log may leave out a domain of zeros.
  const short = device?.replace(/^0000:/, '');
  let namesDevice = device === undefined;
  const reader = new TraceReader((event) => {
    namesDevice ||= event.device === device || event.device === short;
    blame.accept(event);
  });
  for await (const bytes of input) {
    reader.push(bytes);
    blame.follow(reader.tally);
  }
  reader.end();
  blame.follow(reader.tally);
  const { tally } = reader;
  if (!tally.usable) {
    throw new InputError(
      input.name,
      0,
      `no event of the DMA layer in ${counted(tally.lines, 'line')}${input.damage === null ? '' : ` (${input.damage})`}`,
      'kernel trace text',
    );
  }
  const report = blame.end();
  if (json) world.out(blameDocument(input.name, input.damage, tally, report));
  else world.out(blameText(world, input.name, tally, report));
  if (!namesDevice) world.err(`sgfree: ${input.name}: no event of ${device}\n`);
  if (input.damage !== null) world.err(`sgfree: ${input.name}: ${input.damage}\n`);
  return 0;
}

/** The address as traces have it, with its domain. */
function pciAddress(text: string): string {
  const place = parsePciAddress(text);
  if (place === undefined)
    throw new InvalidArgumentError('a PCI address, domain:bus:device.function, such as 0000:01:00.0');
  return formatPciAddress(place);
}

function hexAddress(text: string): string {
  const digits = /^(?:0x)?([0-9a-f]{1,16})$/i.exec(text)?.[1];
  if (digits === undefined) throw new InvalidArgumentError('an address in hex, such as 0xfd340000');
  return digits;
}

function historyLength(text: string): number {
  const value = /^\d{1,9}$/.test(text) ? Number(text) : Number.NaN;
  if (!(value >= LEAST_HISTORY && value <= MOST_HISTORY)) {
    throw new InvalidArgumentError(`a whole number from ${LEAST_HISTORY} to ${MOST_HISTORY}`);
  }
  return value;
}
