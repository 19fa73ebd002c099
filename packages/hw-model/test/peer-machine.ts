// A fabric for routing tests: two root ports, the first with a switch of three ports; a device with a BAR at each end.
// Simplified: devices only issue requests and answer with plain memory.

import {
  BarMemory,
  Clock,
  type CompletionStatus,
  type DmaAddr,
  dmaAddr,
  EventLog,
  type HostBridge,
  type HostBridgeSpec,
  type PciBridge,
  PciFabric,
  type PciFunction,
  type PciSwitch,
  PhysicalMemory,
  physAddr,
} from '../src/index.ts';

const MIB = 2 ** 20;
/** Size of each device's BAR. */
export const PEER_BAR_BYTES: number = MIB;

/** A device with memory behind BAR 0. */
export interface Peer {
  readonly endpoint: PciFunction;
  readonly memory: BarMemory;
}

/** Devices a, b and c below the switch, d below the other root port, e in the root bus. */
export class PeerMachine {
  readonly memory: PhysicalMemory = new PhysicalMemory();
  readonly clock: Clock = new Clock();
  readonly log: EventLog = new EventLog();
  readonly fabric: PciFabric;
  readonly host: HostBridge;
  readonly ports: readonly [PciBridge, PciBridge];
  readonly tree: PciSwitch;
  readonly a: Peer;
  readonly b: Peer;
  readonly c: Peer;
  readonly d: Peer;
  readonly e: Peer;

  constructor(host: Partial<HostBridgeSpec> = {}) {
    this.memory.addRam(physAddr(0), 16 * MIB);
    this.fabric = new PciFabric({ memory: this.memory, clock: this.clock, log: this.log });
    this.host = this.fabric.addHostBridge({
      memoryAperture: { base: physAddr(0xc0000000), bytes: 256 * MIB },
      prefetchAperture: { base: physAddr(2 ** 38), bytes: 1024 * MIB },
      ...host,
    });
    this.ports = [this.fabric.addRootPort(this.host), this.fabric.addRootPort(this.host)];
    this.tree = this.fabric.addSwitch(this.ports[0], { downstreamPorts: 3, acsCapability: 0x7f });
    const [first, second, third] = this.tree.downstream as [PciBridge, PciBridge, PciBridge];
    this.a = this.#plug(first, 'a');
    this.b = this.#plug(second, 'b');
    this.c = this.#plug(third, 'c');
    this.d = this.#plug(this.ports[1], 'd');
    this.e = this.#plug(this.host, 'e');
    this.fabric.enumerate();
    for (const { endpoint } of [this.a, this.b, this.c, this.d, this.e]) {
      endpoint.setCommand({ memory: true, busMaster: true });
    }
  }

  /** The bus address of BAR 0 of `peer`. */
  busAddress(peer: Peer): DmaAddr {
    return dmaAddr(peer.endpoint.bar(0)?.address ?? 0);
  }

  /** Writes `value` from `from` to `address` and reads it back; both statuses must agree. */
  poke(from: Peer, address: DmaAddr, value: number): CompletionStatus {
    const written = this.fabric.write(from.endpoint, address, Uint8Array.of(value));
    const found = Uint8Array.of(0xee);
    const read = this.fabric.read(from.endpoint, address, found);
    if (read !== written) throw new Error(`write ${written}, read ${read}`);
    if (found[0] !== (read === 'success' ? value : 0xee)) throw new Error(`read ${found[0]}`);
    return written;
  }

  #plug(under: HostBridge | PciBridge, name: string): Peer {
    const memory = new BarMemory(PEER_BAR_BYTES);
    const endpoint = this.fabric.addEndpoint(under, {
      name,
      identity: { vendorId: 0x1234, deviceId: 0x0001, classCode: 0x058000 },
      bars: [{ index: 0, bytes: PEER_BAR_BYTES, prefetchable: true, target: memory }],
    });
    return { endpoint, memory };
  }
}
