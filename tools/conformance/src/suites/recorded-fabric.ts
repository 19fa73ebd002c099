// RecordedFabric: the PCI functions of a recorded machine, plugged together as they were found, configuration bytes and
// BAR addresses included.
// Field meanings: vectors/kernel/README.md, sections p2p (`devices`) and topo.
// Simplified: memory BARs of at least a page only, which is what peer-to-peer DMA can use; x86, so that bus addresses
// are CPU addresses.

import {
  BarMemory,
  type BarSpec,
  type ConfigSpace,
  HostBridge,
  PciBridge,
  type PciBus,
  PciFunction,
  pciBusAddr,
  physAddr,
} from '@sgfree/hw-model';
import { BrokenHeader } from '../suite.ts';

/** A memory BAR of a recorded function. */
export interface RecordedBar {
  readonly index: number;
  readonly start: number;
  readonly bytes: number;
  readonly is64Bit: boolean;
  readonly prefetchable: boolean;
}

/** One function as recorded. */
export interface RecordedFunction {
  /** `domain:bus:device.function`. */
  readonly name: string;
  /** Name of the bridge above; null on a root bus. */
  readonly upstream: string | null;
  /** `domain:bus` of its host bridge. */
  readonly rootBus: string;
  readonly isBridge: boolean;
  readonly config: ConfigSpace;
  readonly bars: readonly RecordedBar[];
}

/** The functions by name, and the host bridges they hang from. */
export interface RecordedFabric {
  readonly hosts: readonly HostBridge[];
  readonly functions: ReadonlyMap<string, PciFunction>;
}

const PAGE = 4096;
const lastNumber = (text: string): number => Number.parseInt(text.slice(text.lastIndexOf(':') + 1), 16);
/** The bus number in the name of a function. */
const busOf = (name: string): number => lastNumber(name.slice(0, name.lastIndexOf(':')));

class FabricBuilder implements RecordedFabric {
  readonly hosts: HostBridge[] = [];
  readonly functions = new Map<string, PciFunction>();
  readonly #recorded = new Map<string, RecordedFunction>();
  readonly #hostOf = new Map<string, HostBridge>();

  constructor(recorded: readonly RecordedFunction[]) {
    for (const one of recorded) {
      if (this.#recorded.has(one.name)) throw new BrokenHeader(`${one.name} is there twice`);
      this.#recorded.set(one.name, one);
    }
    for (const one of recorded) this.#plug(one, []);
  }

  #plug(one: RecordedFunction, below: readonly RecordedFunction[]): PciFunction {
    const known = this.functions.get(one.name);
    if (known !== undefined) return known;
    if (below.includes(one)) throw new BrokenHeader(`${one.name} lies below itself`);
    const bus = this.#busOf(one, below);
    const [device = '', functionNumber = ''] = one.name.slice(one.name.lastIndexOf(':') + 1).split('.');
    const place = {
      name: one.name,
      bus,
      device: Number.parseInt(device, 16),
      functionNumber: Number(functionNumber),
      config: one.config,
    };
    const fn = one.isBridge ? new PciBridge(place, 'root-port') : new PciFunction(place, barSpecs(one));
    for (const { index, start } of one.isBridge ? [] : usableBars(one))
      fn.bar(index)?.assign(pciBusAddr(start));
    bus.plug(fn);
    this.functions.set(one.name, fn);
    return fn;
  }

  #busOf(one: RecordedFunction, below: readonly RecordedFunction[]): PciBus {
    const onRootBus = busOf(one.name) === lastNumber(one.rootBus);
    if (onRootBus !== (one.upstream === null)) {
      throw new BrokenHeader(`${one.name} is below ${one.upstream} and host bridge ${one.rootBus}`);
    }
    if (one.upstream === null) return this.#rootBus(one.rootBus);
    const bridge = this.#recorded.get(one.upstream);
    const bus = bridge === undefined ? null : this.#plug(bridge, [...below, one]).secondaryBus;
    if (bus === null) throw new BrokenHeader(`${one.upstream} above ${one.name} is no bridge`);
    bus.number = busOf(one.name);
    return bus;
  }

  #rootBus(rootBus: string): PciBus {
    let host = this.#hostOf.get(rootBus);
    if (host === undefined) {
      host = new HostBridge({ name: rootBus, memoryAperture: { base: physAddr(0), bytes: PAGE } });
      host.childBus.number = lastNumber(rootBus);
      this.#hostOf.set(rootBus, host);
      this.hosts.push(host);
    }
    return host.childBus;
  }
}

const usableBars = ({ bars }: RecordedFunction): RecordedBar[] => bars.filter(({ bytes }) => bytes >= PAGE);

const barSpecs = (one: RecordedFunction): BarSpec[] =>
  usableBars(one).map(({ index, bytes, is64Bit, prefetchable }) => ({
    index,
    bytes,
    width: is64Bit ? 64 : 32,
    prefetchable,
    target: new BarMemory(bytes),
  }));

/** Plugs the functions of a machine together; throws {@link BrokenHeader} when they do not fit. */
export const recordedFabric = (recorded: readonly RecordedFunction[]): RecordedFabric =>
  new FabricBuilder(recorded);

/** Index of the first memory BAR of at least a page, or -1. */
export const firstMemoryBar = (fn: PciFunction): number => fn.bars[0]?.index ?? -1;
