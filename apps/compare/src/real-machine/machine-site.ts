// MachineSite: a dumped machine as the site of a peer-to-peer run: the part between two of its functions, live, with the
// run's NVMe controller in the place of the initiator.
// Source followed: pci_enable_device and pci_set_master of both drivers: they and the bridges above decode and forward.
// Simplified: RAM is one range, where /proc/iomem shows some, else where no device of the pair's host bridges is.

import {
  ACS,
  addOffset,
  alignUp,
  Clock,
  findExtendedCapability,
  type PciFunction,
  PhysicalMemory,
  type PhysRange,
  pciBusAddr,
  physAddr,
  rawOffset,
} from '@sgfree/hw-model';
import type { PeerSite, PeerSiteBuilder } from '@sgfree/roadmap';
import {
  type DumpedFabric,
  type DumpedFunction,
  type FabricOptions,
  type FabricOutcome,
  fabricOfDump,
  type MachineDump,
} from '@sgfree/topology';
import { InputError } from '../request-list/input-error.ts';
import { problemWords } from './fabric-problem-words.ts';
import type { MachinePair } from './machine-pair.ts';

const KERNEL_RAM_BYTES: number = 64 * 2 ** 20;
const REGISTER_BYTES = 0x4000;
const ACS_CAPABILITY_ID = 0x0d;

/** A site, and what it rests on. */
export interface MachineSite {
  readonly build: PeerSiteBuilder;
  /** The target's BAR. */
  readonly bar: number;
  readonly barBytes: number;
  /** The BAR of the initiator at whose address the controller's registers stand. */
  readonly registersBar: number;
  readonly kernelRam: PhysRange;
  /** What was taken for granted, in words. */
  readonly assumed: readonly string[];
}

/** Builds the part once, to see whether it can be. Throws {@link InputError}. */
export function machineSite(pair: MachinePair): MachineSite {
  const trial = fabricOf(pair, { memory: new PhysicalMemory(), clock: new Clock() }, []);
  if (!trial.ok) throw refusal(pair, trial);
  if (trial.value.isOnConventionalBus(pair.initiator)) {
    const found = `${pair.initiator.name} on a conventional PCI bus`;
    throw new InputError(pair.source, 0, found, 'an initiator that PCI Express reaches');
  }
  const bar = trial.value.bar ?? 0;
  const registersBar = registersPlace(pair, trial.value);
  const kernelRam = ramRange(pair, trial.value);
  return {
    bar,
    barBytes: trial.value.functionOf(pair.target)?.bar(bar)?.bytes ?? 0,
    registersBar,
    kernelRam,
    assumed: assumptionWords(pair, trial.value),
    build: siteBuilder(pair, registersBar, kernelRam),
  };
}

function fabricOf(
  { dump, initiator, target, options, route }: MachinePair,
  ground: Pick<FabricOptions, 'memory' | 'clock' | 'log'>,
  vacant: readonly DumpedFunction[],
): FabricOutcome {
  const { targetBar } = options;
  const part = { initiator, target, initiatorAnswers: true };
  const listDecides = route.rule === 'host-bridge-listed' || route.rule === 'host-bridge-not-listed';
  return fabricOfDump(dump, {
    ...ground,
    part: targetBar === null ? part : { ...part, bar: targetBar },
    vacant,
    enabled: [initiator, target],
    assume: listDecides ? { busOffset: 0 } : { busOffset: 0, rootDeviceAsShown: true },
  });
}

function refusal({ source }: MachinePair, outcome: Extract<FabricOutcome, { ok: false }>): InputError {
  const { found, expected } = problemWords(outcome);
  return new InputError(source, 0, found, expected);
}

/** Where the controller's registers can stand: the first of the initiator's memory BARs that has room. */
function registersPlace({ source, initiator }: MachinePair, built: DumpedFabric): number {
  const found = built.functionOf(initiator)?.bars.find(({ bytes }) => bytes >= REGISTER_BYTES);
  if (found !== undefined) return found.index;
  const expected =
    'an initiator with a memory BAR of 16 KiB or more, where registers of an NVMe controller can stand';
  throw new InputError(source, 0, `no such BAR of ${initiator.name}`, expected);
}

function ramRange({ dump, source }: MachinePair, built: DumpedFabric): PhysRange {
  const taken = built.fabric.hosts.flatMap(({ apertures }) => apertures);
  const ram = systemRam(dump);
  const everywhere: PhysRange[] = [{ base: physAddr(KERNEL_RAM_BYTES), bytes: 2 ** 46 }];
  for (const { base, bytes } of ram.length > 0 ? ram : everywhere) {
    let at = alignUp(base, KERNEL_RAM_BYTES);
    const fits = (): boolean => rawOffset(at, KERNEL_RAM_BYTES) <= rawOffset(base, bytes);
    while (fits()) {
      const range = { base: at, bytes: KERNEL_RAM_BYTES };
      const other = taken.find((one) => meet(range, one));
      if (other === undefined) return range;
      at = alignUp(addOffset(other.base, other.bytes), KERNEL_RAM_BYTES);
    }
  }
  throw new InputError(source, 0, 'no 64 MiB of memory apart from device addresses', 'a machine with memory');
}

const systemRam = ({ iomem }: MachineDump): PhysRange[] => iomem.filter(({ name }) => name === 'System RAM');

function meet(a: PhysRange, b: PhysRange): boolean {
  return (
    rawOffset(a.base, 0) < rawOffset(b.base, b.bytes) && rawOffset(b.base, 0) < rawOffset(a.base, a.bytes)
  );
}

function assumptionWords({ dump, route }: MachinePair, { assumed }: DumpedFabric): string[] {
  const words: string[] = [];
  if (route.mapType === 'thru-host-bridge') {
    words.push(
      'root complexes forward requests between peers where the kernel believes it (no dump shows it)',
    );
  }
  if (assumed.some(({ assumption }) => assumption === 'busOffset')) {
    words.push('bus and CPU addresses are the same numbers, as on x86 (the dump shows one of them only)');
  }
  if (systemRam(dump).length === 0)
    words.push('memory lies where no device of these host bridges is (no /proc/iomem)');
  return words;
}

function siteBuilder(pair: MachinePair, registersBar: number, kernelRam: PhysRange): PeerSiteBuilder {
  const { initiator, target, cpu, options } = pair;
  return ({ memory, clock, log, plugDisk }): PeerSite => {
    memory.addRam(kernelRam.base, kernelRam.bytes);
    const outcome = fabricOf(pair, { memory, clock, log }, [initiator]);
    if (!outcome.ok) throw refusal(pair, outcome);
    const { fabric } = outcome.value;
    const place = outcome.value.placeOf(initiator);
    const reached = outcome.value.functionOf(target);
    if (place === undefined || reached === undefined)
      throw refusal(pair, { ok: false, missing: [], obstacles: [] });
    const { device, fn: functionNumber } = initiator.address;
    const disk = plugDisk(fabric, place, { name: initiator.name, device, functionNumber });
    standIn(disk.endpoint, initiator, registersBar);
    const site = { fabric, disk, target: reached, bar: outcome.value.bar ?? 0, kernelRam };
    const { known } = options.kernel;
    return {
      ...site,
      ...(cpu.cpu === 'unknown' ? {} : { cpu: cpu.cpu }),
      ...(known === null ? {} : { kernel: known }),
    };
  };
}

/** The controller takes over what the fabric and the kernel see of the function: an address, and ACS. */
function standIn(endpoint: PciFunction, { resources, acs }: DumpedFunction, registersBar: number): void {
  const place = resources.find(({ kind, index }) => kind === 'bar' && index === registersBar);
  const address = place?.busBase === 'unknown' ? place.base : place?.busBase;
  if (typeof address === 'number') endpoint.bar(0)?.assign(pciBusAddr(address));
  endpoint.setCommand({ memory: true, busMaster: true });
  const { control, capability } = acs;
  if (typeof control !== 'number') return;
  const { config } = endpoint;
  const at = findExtendedCapability(config, ACS_CAPABILITY_ID) || 0x100;
  config.preset(at, 4, 0x10000 + ACS_CAPABILITY_ID);
  config.preset(at + 4, 2, (typeof capability === 'number' ? capability : 0) | control);
  config.preset(at + 6, 2, control & ~ACS.translationBlocking);
}
