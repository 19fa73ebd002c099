// PciFabric: the PCI Express hierarchy of one machine, from the root complex down to every BAR.
// Source followed: PCI Express Base Specification 6.0, section 1.3 (topology), 2.2 (memory requests).
// It is built by hand, enumerated as firmware would, and then moves real bytes, one memory request per call.
// Simplified: requests complete at once and in order; no messages, no MSI, no I/O space, no error logs.

import {
  type DmaAddr,
  hex,
  offsetWithin,
  PAGE_SIZE,
  type PhysAddr,
  physAddr,
  rawOffset,
} from '../addresses.ts';
import type { Clock } from '../clock.ts';
import { EventLog } from '../event-log.ts';
import { InternalError } from '../internal-error.ts';
import type { PhysicalMemory } from '../physical-memory.ts';
import type { TranslationAgent } from '../translation-agent.ts';
import { type AddressType, addAcsCapability } from './access-control-services.ts';
import type { CompletionStatus } from './completion-status.ts';
import {
  type FunctionIdentity,
  PCI_HEADER_TYPE,
  PCI_SECONDARY_BUS,
  presetBridgeHeader,
  presetEndpointHeader,
} from './config-header.ts';
import { ConfigSpace } from './config-space.ts';
import {
  type ConfiguredBridgeSpec,
  type ConfiguredFunctionSpec,
  configuredSpace,
} from './configured-function.ts';
import { enumerateHosts } from './enumeration.ts';
import { HostAperture, HostBridge, type HostBridgeSpec } from './host-bridge.ts';
import type { BarSpec, PciBar } from './pci-bar.ts';
import { PciBridge } from './pci-bridge.ts';
import type { PciBus } from './pci-bus.ts';
import { addPciExpressCapability, PCI_EXP_TYPE, type TlpSizes } from './pci-express-capability.ts';
import { PciFunction } from './pci-function.ts';
import { RequestRouter } from './request-router.ts';
import { addResizableBar } from './resizable-bar.ts';
import { type Route, RouteCounters } from './route-counters.ts';

/**
 * What a fabric is attached to.
 * @public
 */
export interface PciFabricParts {
  readonly memory: PhysicalMemory;
  readonly clock: Clock;
  readonly log?: EventLog;
}

/**
 * A place where devices are plugged in: a host bridge (its root bus) or a root or downstream port.
 * @public
 */
export type PlugPoint = HostBridge | PciBridge;

/**
 * How a port is made.
 * @public
 */
export interface PortSpec {
  readonly name?: string;
  readonly identity?: FunctionIdentity;
  /** ACS bits the port implements (0 = no capability); none is enabled at reset. Default 0x5f. */
  readonly acsCapability?: number;
}

/**
 * How a switch is made.
 * @public
 */
export interface SwitchSpec extends PortSpec {
  /** Number of downstream ports, 1 to 31. */
  readonly downstreamPorts: number;
}

/**
 * The ports of a switch.
 * @public
 */
export interface PciSwitch {
  readonly upstream: PciBridge;
  readonly downstream: readonly PciBridge[];
}

/**
 * How an endpoint function is made.
 * @public
 */
export interface EndpointSpec {
  readonly name: string;
  readonly identity: FunctionIdentity;
  readonly bars?: readonly BarSpec[];
  /** Device number; default 0 below a port, the next free one on a root bus. */
  readonly device?: number;
  /** Function number 0 to 7; default 0. */
  readonly functionNumber?: number;
  /** Default 256 and 512 bytes. */
  readonly tlpSizes?: TlpSizes;
  /** ACS bits the function implements; default 0 = no capability. */
  readonly acsCapability?: number;
}

const PORT_IDENTITY: FunctionIdentity = { vendorId: 0x1b36, deviceId: 0x000c, classCode: 0x060400 };
type ExpressPort = 'root-port' | 'upstream' | 'downstream';
const PORT_TYPE: Record<ExpressPort, number> = {
  'root-port': PCI_EXP_TYPE.rootPort,
  upstream: PCI_EXP_TYPE.upstream,
  downstream: PCI_EXP_TYPE.downstream,
};
const ENDPOINT_SIZES: TlpSizes = { maxPayloadBytes: 256, maxReadRequestBytes: 512 };

/**
 * The PCI Express fabric of a machine.
 * @public
 */
export class PciFabric {
  readonly clock: Clock;
  readonly log: EventLog;
  readonly counters: RouteCounters = new RouteCounters();
  /** Posts `hw:request` for every request while the log is enabled (many). Refused ones are always posted. */
  traceRequests = false;
  readonly #memory: PhysicalMemory;
  readonly #hosts: HostBridge[] = [];
  readonly #router: RequestRouter;
  #defaultAgent: TranslationAgent | null = null;

  constructor(parts: PciFabricParts) {
    this.#memory = parts.memory;
    this.clock = parts.clock;
    this.log = parts.log ?? new EventLog();
    this.#router = new RequestRouter(parts.memory, this.#hosts);
  }

  get hosts(): readonly HostBridge[] {
    return this.#hosts;
  }

  /** Every function, depth first in order of device and function number. */
  get functions(): PciFunction[] {
    const found: PciFunction[] = [];
    const visit = (bus: PciBus): void => {
      for (const present of bus.functions) {
        found.push(present);
        if (present.secondaryBus !== null) visit(present.secondaryBus);
      }
    };
    for (const host of this.#hosts) visit(host.childBus);
    return found;
  }

  /** Adds a host bridge, with function 00.0 unless told otherwise, and claims its apertures in the CPU's address space. */
  addHostBridge(spec: HostBridgeSpec): HostBridge {
    const host = new HostBridge(spec);
    this.#hosts.push(host);
    for (const range of host.apertures) {
      this.#memory.addMmio(range.base, range.bytes, new HostAperture(host, range));
    }
    if (spec.identity === null) return host;
    const config = new ConfigSpace();
    const identity = spec.identity ?? { vendorId: 0x8086, deviceId: 0x2020 };
    presetEndpointHeader(config, { ...identity, classCode: 0x060000 });
    const place = { name: host.name, bus: host.childBus, device: 0, functionNumber: 0, config };
    host.childBus.plug(new PciFunction(place, []));
    return host;
  }

  addRootPort(host: HostBridge, spec: PortSpec = {}): PciBridge {
    const device = host.childBus.freeDevice;
    return this.#addPort(host.childBus, 'root-port', device, spec, spec.name ?? `rp${device}`);
  }

  addSwitch(under: PciBridge, spec: SwitchSpec): PciSwitch {
    const name = spec.name ?? 'switch';
    const upstream = this.#addPort(
      under.secondaryBus,
      'upstream',
      0,
      { ...spec, acsCapability: 0 },
      `${name}.up`,
    );
    const downstream = Array.from({ length: spec.downstreamPorts }, (_, device) =>
      this.#addPort(upstream.secondaryBus, 'downstream', device, spec, `${name}.down${device}`),
    );
    return { upstream, downstream };
  }

  /** Plugs an endpoint in below a port, or into a root bus as a root complex integrated endpoint. */
  addEndpoint(under: PlugPoint, spec: EndpointSpec): PciFunction {
    const integrated = under instanceof HostBridge;
    const bus = integrated ? under.childBus : under.secondaryBus;
    const device = spec.device ?? (integrated ? bus.freeDevice : 0);
    const functionNumber = spec.functionNumber ?? 0;
    const config = new ConfigSpace();
    presetEndpointHeader(config, spec.identity);
    const type = integrated ? PCI_EXP_TYPE.rootComplexIntegratedEndpoint : PCI_EXP_TYPE.endpoint;
    addPciExpressCapability(config, type, spec.tlpSizes ?? ENDPOINT_SIZES);
    if ((spec.acsCapability ?? 0) !== 0) addAcsCapability(config, spec.acsCapability ?? 0);
    addResizableBar(config, spec.bars ?? []);
    const place = { name: spec.name, bus, device, functionNumber, config };
    const endpoint = new PciFunction(place, spec.bars ?? []);
    endpoint.translationAgent = this.#defaultAgent;
    bus.plug(endpoint);
    markMultifunction(bus, device);
    return endpoint;
  }

  /** Plugs in a function with its registers as somebody left them; such a fabric is not enumerated again. */
  addConfigured(under: PlugPoint, spec: ConfiguredFunctionSpec): PciFunction {
    const bus = under instanceof HostBridge ? under.childBus : under.secondaryBus;
    const bars = spec.bars ?? [];
    const { name, device, functionNumber } = spec;
    const place = { name, bus, device, functionNumber, config: configuredSpace(spec.bytes, false) };
    const added = new PciFunction(place, bars);
    for (const { index, address } of bars) added.bar(index)?.assign(address);
    return this.#plugConfigured(added);
  }

  /** Plugs in a bridge with its bus numbers and windows as somebody left them. */
  addConfiguredBridge(under: PlugPoint, spec: ConfiguredBridgeSpec): PciBridge {
    const bus = under instanceof HostBridge ? under.childBus : under.secondaryBus;
    const { name, device, functionNumber, kind } = spec;
    const place = { name, bus, device, functionNumber, config: configuredSpace(spec.bytes, true) };
    const added = new PciBridge(place, kind);
    added.secondaryBus.number = added.config.read(PCI_SECONDARY_BUS, 1);
    return this.#plugConfigured(added);
  }

  #plugConfigured<F extends PciFunction>(added: F): F {
    added.translationAgent = this.#defaultAgent;
    added.bus.plug(added);
    return added;
  }

  /** Numbers the buses, places the BARs and opens the bridges, as firmware does. */
  enumerate(): void {
    enumerateHosts(this.#hosts);
  }

  /**
   * Lets `agent` translate the requests of `covered`, or (without a list) of every function, later ones included.
   * `null` takes the coverage away: addresses then pass untranslated.
   */
  setTranslationAgent(agent: TranslationAgent | null, covered?: readonly PciFunction[]): void {
    if (covered === undefined) this.#defaultAgent = agent;
    for (const each of covered ?? this.functions) each.translationAgent = agent;
  }

  /** The CPU physical address at which a BAR of `endpoint` is seen. */
  barPhys(endpoint: PciFunction, index: number): PhysAddr {
    const bar = endpoint.bar(index);
    if (bar === undefined) throw new InternalError(`${endpoint.name} has no BAR ${index}`);
    return physAddr(rawOffset(bar.address, -endpoint.bus.host.busOffset));
  }

  /**
   * One memory read request of `count` bytes within a 4 KiB page; they go to `into` from index `at` on.
   * On failure `into` is left alone. A `translated` address is a physical one that no IOMMU looks at, if ports and unit
   * admit it.
   */
  read(
    requester: PciFunction,
    address: DmaAddr,
    into: Uint8Array,
    at = 0,
    count: number = into.length - at,
    addressType: AddressType = 'untranslated',
  ): CompletionStatus {
    const route = this.#route(requester, address, count, false, addressType);
    const { bar, barOffset, phys, status: routed } = this.#router;
    let status = routed;
    if (status === 'success') {
      const moved =
        bar === null
          ? this.#memory.read(phys, into, at, count)
          : this.#touch(bar).mmioRead(barOffset, into.subarray(at, at + count));
      if (!moved) status = 'completer-abort';
    }
    this.#account(requester, address, count, false, route, status);
    return status;
  }

  /**
   * One posted memory write of `count` bytes of `from`, from index `at` on, within a 4 KiB page.
   * On failure it is dropped, and the model still says why.
   */
  write(
    requester: PciFunction,
    address: DmaAddr,
    from: Uint8Array,
    at = 0,
    count: number = from.length - at,
    addressType: AddressType = 'untranslated',
  ): CompletionStatus {
    const route = this.#route(requester, address, count, true, addressType);
    const { bar, barOffset, phys, status: routed } = this.#router;
    let status = routed;
    if (status === 'success') {
      const moved =
        bar === null
          ? this.#memory.write(phys, from, at, count)
          : this.#touch(bar).mmioWrite(barOffset, from.subarray(at, at + count));
      if (!moved) status = 'completer-abort';
    }
    this.#account(requester, address, count, true, route, status);
    return status;
  }

  #route(
    requester: PciFunction,
    address: DmaAddr,
    bytes: number,
    write: boolean,
    addressType: AddressType,
  ): Route {
    if (bytes <= 0 || offsetWithin(address, PAGE_SIZE) + bytes > PAGE_SIZE) {
      throw new InternalError(`a request of ${bytes} bytes at ${hex(address)} does not fit one 4 KiB page`);
    }
    return this.#router.resolve(requester, address, bytes, write, addressType);
  }

  #touch(bar: PciBar): PciBar['target'] {
    bar.lastAccessStep = this.clock.step;
    return bar.target;
  }

  #account(
    requester: PciFunction,
    address: DmaAddr,
    bytes: number,
    write: boolean,
    wanted: Route,
    status: CompletionStatus,
  ): void {
    const route = status === 'success' ? wanted : 'refused';
    this.counters.add(route, bytes);
    if (!this.log.enabled || (status === 'success' && !this.traceRequests)) return;
    const kind = status === 'success' ? 'hw:request' : 'hw:refused';
    const step = this.clock.step;
    this.log.post({ kind, step, requester: requester.requesterId, address, bytes, write, route, status });
  }

  #addPort(bus: PciBus, kind: ExpressPort, device: number, spec: PortSpec, name: string): PciBridge {
    const config = new ConfigSpace();
    presetBridgeHeader(config, spec.identity ?? PORT_IDENTITY);
    addPciExpressCapability(config, PORT_TYPE[kind], ENDPOINT_SIZES, device);
    const acs = spec.acsCapability ?? 0x5f;
    if (acs !== 0) addAcsCapability(config, acs);
    const port = new PciBridge({ name, bus, device, functionNumber: 0, config }, kind);
    port.translationAgent = this.#defaultAgent;
    bus.plug(port);
    return port;
  }
}

function markMultifunction(bus: PciBus, device: number): void {
  const functions = bus.functions.filter((present) => present.device === device);
  if (functions.length < 2) return;
  for (const { config } of functions) {
    config.preset(PCI_HEADER_TYPE, 1, config.read(PCI_HEADER_TYPE, 1) | 0x80);
  }
}
