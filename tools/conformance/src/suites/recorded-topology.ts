// RecordedTopology: the PCI functions and the CPU of the boot that a file was recorded in, from the folder beside it.
// Field meanings: vectors/kernel/README.md, section topo; a folder without one may hold the header of a p2p file with
// nothing overwritten instead.
// Simplified: resources beyond the six BARs are not needed here.

import { ConfigSpace } from '@sgfree/hw-model';
import type { P2pCpu } from '@sgfree/p2p';
import { parseLine } from '../record-file.ts';
import { MalformedValue } from '../recorded-value.ts';
import { BrokenHeader, type FileContext } from '../suite.ts';
import type { RecordedBar, RecordedFunction } from './recorded-fabric.ts';
import { cpuOfHeader, functionsOfHeader, memoryBar } from './recorded-functions.ts';

/** A machine as it was booted. */
export interface RecordedTopology {
  readonly functions: readonly RecordedFunction[];
  readonly cpu: P2pCpu;
}

const HEADER_TYPE = 0x0e;

/** The machine behind a file; throws {@link BrokenHeader} when nothing beside it tells. */
export function recordedTopology(context: FileContext | undefined): RecordedTopology {
  const found = context === undefined ? null : (fromFolder(context) ?? fromPairs(context));
  if (found === null)
    throw new BrokenHeader('neither topo/ nor p2p_pairs.jsonl beside the file tells the machine');
  return found;
}

function fromFolder(context: FileContext): RecordedTopology | null {
  const [list, config, resources, cpuinfo] = [
    'pci.txt',
    'pci_config.hex',
    'pci_resources.txt',
    'cpuinfo',
  ].map((name) => context.readInput(`topo/${name}`));
  if (list == null || config == null || resources == null || cpuinfo == null) return null;
  const configs = configSpaces(config);
  const bars = memoryBars(resources);
  const functions = [...list.matchAll(/^(\S+) path=(\S+)/gm)].map(([, name = '', path = '']) => {
    const bytes = configs.get(name);
    if (bytes === undefined) throw new BrokenHeader(`topo/pci_config.hex lacks ${name}`);
    return functionOf(name, path, bytes, bars.get(name) ?? []);
  });
  return { functions, cpu: cpuOf(cpuinfo) };
}

function functionOf(
  name: string,
  path: string,
  config: ConfigSpace,
  bars: readonly RecordedBar[],
): RecordedFunction {
  const steps = path.split('/');
  const root = steps.findIndex((step) => step.startsWith('pci'));
  const above = steps[steps.length - 2] ?? '';
  return {
    name,
    upstream: steps.length - 2 === root ? null : above,
    rootBus: steps[root]?.slice('pci'.length) ?? '',
    isBridge: (config.read(HEADER_TYPE, 1) & 0x7f) !== 0,
    config,
    bars,
  };
}

/** `== BDF`, then rows of 16 bytes; `*` repeats the row before up to the next offset. */
function configSpaces(text: string): Map<string, ConfigSpace> {
  const found = new Map<string, ConfigSpace>();
  for (const section of text.split(/^== /m).slice(1)) {
    const [name = '', ...lines] = section.split('\n');
    found.set(name.trim(), new ConfigSpace(Uint8Array.from(dumpedBytes(lines))));
  }
  return found;
}

function dumpedBytes(lines: readonly string[]): number[] {
  const bytes: number[] = [];
  for (const line of lines) {
    const row = /^([0-9a-f]{8})((?:\s+[0-9a-f]{2})*)/.exec(line);
    if (row === null) continue;
    const offset = Number.parseInt(row[1] ?? '', 16);
    while (bytes.length < offset) bytes.push(bytes[bytes.length - 16] ?? 0);
    for (const byte of row[2]?.trim().split(/\s+/) ?? []) {
      if (byte !== '') bytes.push(Number.parseInt(byte, 16));
    }
  }
  return bytes;
}

/** Rows `BDF start end flags`, in order of resource number. */
function memoryBars(text: string): Map<string, RecordedBar[]> {
  const found = new Map<string, RecordedBar[]>();
  const rows = new Map<string, number>();
  for (const line of text.split('\n')) {
    const [name, start, end, flags] = line.trim().split(/\s+/);
    if (name === undefined || flags === undefined) continue;
    const index = rows.get(name) ?? 0;
    rows.set(name, index + 1);
    const bytes = Number(end) - Number(start) + 1;
    found.set(name, [...(found.get(name) ?? []), ...memoryBar(index, Number(start), bytes, Number(flags))]);
  }
  return found;
}

function cpuOf(cpuinfo: string): P2pCpu {
  const vendor = /^vendor_id\s*:\s*(\S+)/m.exec(cpuinfo)?.[1];
  const family = /^cpu family\s*:\s*(\d+)/m.exec(cpuinfo)?.[1];
  if (vendor === undefined || family === undefined) throw new BrokenHeader('topo/cpuinfo names no CPU');
  return { vendor, family: Number(family) };
}

function fromPairs(context: FileContext): RecordedTopology | null {
  const text = context.readInput('p2p_pairs.jsonl');
  if (text === null) return null;
  try {
    const header = parseLine(text.split('\n'), 1);
    if (header['root_spoofed'] !== false || header['acs_faked'] !== 0) return null;
    return { functions: functionsOfHeader(header), cpu: cpuOfHeader(header) };
  } catch (error) {
    if (error instanceof MalformedValue) throw new BrokenHeader(`p2p_pairs.jsonl: ${error.message}`);
    throw error;
  }
}
