// MachinePair: the two functions of a dumped machine that a comparison is run between, found, checked, and judged.
// Source followed: drivers/pci/p2pdma.c decides by the dump; what it leaves open must not be run as if it were known.
// Simplified: functions of one device are refused: whether it passes requests between them shows in no dump.

import {
  calcMapTypeAndDist,
  dumpRouteView,
  HostRules,
  type MissingFact,
  type P2pdmaRoute,
} from '@sgfree/p2p';
import type { DumpedFunction, MachineDump } from '@sgfree/topology';
import { openDump } from '../dump-input/open-dump.ts';
import { type AskedCpu, askedCpu } from '../p2p/cpu-choice.ts';
import { findDevice, isEndpoint } from '../p2p/device-selection.ts';
import { InputError } from '../request-list/input-error.ts';
import { printable } from '../request-list/shown-value.ts';
import type { World } from '../world.ts';
import type { MachineOptions } from './machine-options.ts';

const MOST_NEAR = 8;

/** A pair with what the kernel decides for it. */
export interface MachinePair {
  readonly source: string;
  readonly dump: MachineDump;
  readonly initiator: DumpedFunction;
  readonly target: DumpedFunction;
  readonly options: MachineOptions;
  readonly cpu: AskedCpu;
  /** Its map type is known. */
  readonly route: P2pdmaRoute<DumpedFunction>;
}

/** Opens the dump and finds the pair. Throws {@link InputError}. */
export async function machinePair(world: World, options: MachineOptions): Promise<MachinePair> {
  const { name, dump } = await openDump(world, options.topology, options);
  return pairIn(name, dump, options);
}

/** Finds the pair in a dump called `source`. Throws {@link InputError}. */
export function pairIn(source: string, dump: MachineDump, options: MachineOptions): MachinePair {
  const initiator = functionFor(source, dump, '--initiator', options.initiator);
  const target = functionFor(source, dump, '--target', options.target);
  checkApart(source, initiator, target);
  const cpu = askedCpu(options.cpu, dump);
  const rules = new HostRules(options.kernel.version, cpu.cpu);
  const route = calcMapTypeAndDist(dumpRouteView(dump), target, initiator, rules);
  if (route.mapType === 'unknown') {
    const missing = [...new Set(route.missing.map((fact) => missingWords(fact, options)))].join(', ');
    const found = `no verdict for ${initiator.name} and ${target.name}: not known is ${missing}`;
    throw new InputError(source, 0, found, howToLearn(route.missing));
  }
  return { source, dump, initiator, target, options, cpu, route };
}

function functionFor(source: string, dump: MachineDump, option: string, text: string): DumpedFunction {
  const found = findDevice(dump, text);
  const shown = JSON.stringify(printable(text));
  if ('fn' in found) {
    if (isEndpoint(found.fn)) return found.fn;
    throw new InputError(
      source,
      0,
      `a bridge at ${option} ${found.fn.name}`,
      `a device: one of ${near(dump, text)}`,
    );
  }
  if (found.error === 'no-address') {
    throw new InputError(
      option,
      0,
      `no PCI address: ${shown}`,
      'domain:bus:device.function, such as 0000:19:00.0',
    );
  }
  if (found.error === 'ambiguous') {
    const names = found.near.map(({ name }) => name).join(', ');
    throw new InputError(
      source,
      0,
      `${found.near.length} functions at ${option} ${shown}`,
      `one of ${names}`,
    );
  }
  throw new InputError(source, 0, `no function at ${option} ${shown}`, `one of ${near(dump, text)}`);
}

/** Devices with addresses near the one typed: those of its bus first. */
function near(dump: MachineDump, text: string): string {
  const bus = Number.parseInt(text.split(':').at(-2) ?? '', 16);
  const distance = ({ address }: DumpedFunction): number => Math.abs(address.bus - bus) || 0;
  const devices = dump.functions.filter((fn) => isEndpoint(fn));
  const sorted = [...devices].sort((a, b) => distance(a) - distance(b));
  const more = sorted.length - MOST_NEAR;
  const names = sorted.slice(0, MOST_NEAR).map(({ name }) => name);
  return `${names.join(', ')}${more > 0 ? ` and ${more} more` : ''}`;
}

function checkApart(source: string, initiator: DumpedFunction, target: DumpedFunction): void {
  const expected = 'two devices';
  if (initiator === target)
    throw new InputError(source, 0, `${target.name} as initiator and target`, expected);
  const [one, other] = [initiator.address, target.address];
  const same = one.domain === other.domain && one.bus === other.bus && one.device === other.device;
  if (!same || initiator.upstream === 'root') return;
  const found = `${initiator.name} and ${target.name}, functions of one device (no dump shows whether it passes requests between them)`;
  throw new InputError(source, 0, found, expected);
}

/** Whatever else is missing can be told by options. */
function howToLearn(missing: readonly MissingFact<DumpedFunction>[]): string {
  const isHidden = missing.some(({ kind }) => kind !== 'cpu' && kind !== 'kernel-version');
  return isHidden
    ? 'a dump that shows it, such as lspci -vvv of all devices as root'
    : 'the option that tells it';
}

function missingWords(fact: MissingFact<DumpedFunction>, { kernel }: MachineOptions): string {
  switch (fact.kind) {
    case 'cpu':
      return 'the CPU (--cpu tells it)';
    case 'kernel-version':
      return `the host-bridge list of Linux ${kernel.version} (--kernel takes another)`;
    case 'host-bridge':
      return `the host bridge above ${fact.of.name}`;
    case 'acs-control':
      return `the ACS control of ${fact.of.name}`;
    case 'upstream-bridge':
      return `the bridge above ${fact.of.name}`;
  }
}
