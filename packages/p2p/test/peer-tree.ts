// A fabric for route tests: RP0 > switch with two ports: A and A1 (two functions), and B beside a second switch with D;
// RP1 > C; I0 and I1 in the root bus; a second host bridge with RPX > E.
// Simplified: devices only issue requests and answer with plain memory.

import {
  ACS,
  acsOffset,
  BarMemory,
  Clock,
  EventLog,
  type HostBridge,
  type HostBridgeSpec,
  type PciBridge,
  PciFabric,
  type PciFunction,
  PhysicalMemory,
  type PlugPoint,
  physAddr,
} from '@sgfree/hw-model';
import { PageFrames } from '@sgfree/mm';
import { type P2pCpu, P2pPlatform, type P2pPlatformOptions, type PciDev } from '../src/index.ts';

const MIB = 2 ** 20;
/** Bytes of each device's BAR 0. */
export const BAR_BYTES: number = 4 * MIB;
/** CPUs and host bridges for which the verdicts of the host-bridge path differ. */
export const zen: P2pCpu = { vendor: 'AuthenticAMD', family: 0x17 };
export const intel: P2pCpu = { vendor: 'GenuineIntel', family: 6 };

/** Names of the devices and ports of the tree. */
export type PeerName = 'A' | 'A1' | 'B' | 'C' | 'D' | 'E' | 'I0' | 'I1' | PortName;
export type PortName = 'RP0' | 'RP1' | 'RPX' | 'USP' | 'DSP0' | 'DSP1' | 'DSP2' | 'USP2' | 'DSP3';

/** The machine and its functions by name. */
export class PeerTree {
  readonly memory: PhysicalMemory = new PhysicalMemory();
  readonly log: EventLog = new EventLog();
  readonly frames: PageFrames = new PageFrames();
  readonly fabric: PciFabric;
  readonly hosts: readonly [HostBridge, HostBridge];
  readonly platform: P2pPlatform;
  readonly #functions = new Map<PeerName, PciFunction>();
  readonly #bars = new Map<PeerName, BarMemory>();

  constructor(options: Partial<P2pPlatformOptions> = {}, host: Partial<HostBridgeSpec> = {}) {
    this.memory.addRam(physAddr(0), 16 * MIB);
    this.fabric = new PciFabric({ memory: this.memory, clock: new Clock(), log: this.log });
    this.hosts = [this.#host(0, host), this.#host(1, host)];
    this.#plugTree();
    this.fabric.enumerate();
    for (const fn of this.#functions.values()) fn.setCommand({ memory: true, busMaster: true });
    this.log.enabled = true;
    const { log, frames } = this;
    this.platform = new P2pPlatform({ hosts: this.fabric.hosts, cpu: intel, log, frames, ...options });
  }

  fn(name: PeerName): PciFunction {
    const found = this.#functions.get(name);
    if (found === undefined) throw new RangeError(name);
    return found;
  }

  dev(name: PeerName): PciDev {
    return this.platform.devOf(this.fn(name));
  }

  /** Real bytes behind BAR 0. */
  barMemory(name: PeerName): BarMemory {
    const found = this.#bars.get(name);
    if (found === undefined) throw new RangeError(name);
    return found;
  }

  /** A configuration write to the ACS control register; a function without one is given it. */
  setAcs(name: PeerName, control: number): void {
    const { config } = this.fn(name);
    if (acsOffset(config) === 0) {
      config.preset(0x100, 4, 0x1000d);
      config.permit(0x106, 2, 0x7f);
    }
    config.write(acsOffset(config) + 6, 2, control);
  }

  #host(index: number, spec: Partial<HostBridgeSpec>): HostBridge {
    return this.fabric.addHostBridge({
      memoryAperture: { base: physAddr(0xc0000000 + index * 0x10000000), bytes: 256 * MIB },
      // No list names it.
      identity: { vendorId: 0x8086, deviceId: 0x29c0 },
      ...spec,
    });
  }

  #plugTree(): void {
    const [near, far] = this.hosts;
    const rp0 = this.#port('RP0', near);
    const rp1 = this.#port('RP1', near);
    const rpx = this.#port('RPX', far);
    const [dsp0, dsp1] = this.#switch(rp0, 'USP', ['DSP0', 'DSP1', 'DSP2']);
    const [below] = this.#switch(this.#functions.get('DSP2') as PciBridge, 'USP2', ['DSP3']);
    this.#endpoint('A', dsp0 as PciBridge);
    this.#endpoint('A1', dsp0 as PciBridge, 1);
    this.#endpoint('B', dsp1 as PciBridge);
    this.#endpoint('D', below as PciBridge);
    this.#endpoint('C', rp1);
    this.#endpoint('E', rpx);
    this.#endpoint('I0', near);
    this.#endpoint('I1', near);
  }

  #port(name: PortName, host: HostBridge): PciBridge {
    const port = this.fabric.addRootPort(host, { name, acsCapability: 0x7f });
    this.#functions.set(name, port);
    return port;
  }

  #switch(under: PciBridge, up: PortName, down: readonly PortName[]): readonly PciBridge[] {
    const { upstream, downstream } = this.fabric.addSwitch(under, {
      name: up,
      downstreamPorts: down.length,
      acsCapability: 0x7f,
    });
    this.#functions.set(up, upstream);
    for (const [index, name] of down.entries()) this.#functions.set(name, downstream[index] as PciBridge);
    return downstream;
  }

  #endpoint(name: PeerName, under: PlugPoint, functionNumber = 0): void {
    const target = new BarMemory(BAR_BYTES);
    const made = this.fabric.addEndpoint(under, {
      name,
      identity: { vendorId: 0x1234, deviceId: 0x0001, classCode: 0x058000 },
      bars: [{ index: 0, bytes: BAR_BYTES, width: 32, target }],
      functionNumber,
      acsCapability: ACS.requestRedirect + ACS.completionRedirect,
    });
    this.#functions.set(name, made);
    this.#bars.set(name, target);
  }
}
