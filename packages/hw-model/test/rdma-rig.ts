// Two RDMA NICs for tests, on one fabric or on a fabric each, joined by a wire; beside each a device with memory in a BAR.
// Simplified: no driver: keys and queue pairs are set up by hand; protection domain 1 unless a test says otherwise.

import {
  addOffset,
  BarMemory,
  Clock,
  type DmaAddr,
  dmaAddr,
  type PciBridge,
  PciFabric,
  type PciFunction,
  PhysicalMemory,
  physAddr,
  RDMA_ACCESS,
  type RdmaAsyncEvent,
  type RdmaCompletion,
  RdmaCompletionQueue,
  type RdmaKeyEntry,
  RdmaNic,
  type RdmaOpcode,
  type RdmaQpAttributes,
  type RdmaQpType,
  type RdmaQueuePair,
  type RdmaSendRequest,
  RdmaTranslation,
  RdmaWire,
  Scheduler,
} from '../src/index.ts';

const MIB = 2 ** 20;
export const ALL_ACCESS =
  RDMA_ACCESS.localWrite | RDMA_ACCESS.remoteWrite | RDMA_ACCESS.remoteRead | RDMA_ACCESS.remoteAtomic;

/** What may differ between rigs. */
export interface RdmaRigOptions {
  readonly machines?: 1 | 2;
  readonly seed?: number;
  readonly type?: RdmaQpType;
  readonly attributes?: Partial<RdmaQpAttributes>;
  readonly cqEntries?: number;
}

interface Machine {
  readonly memory: PhysicalMemory;
  readonly fabric: PciFabric;
}

/** A machine with free slots below a switch. */
interface Plugged {
  readonly machine: Machine;
  readonly slots: readonly PciBridge[];
}

/** How a region is made. */
export interface RegionOptions {
  readonly iova?: number;
  readonly length?: number;
  readonly access?: number;
  readonly pd?: number;
  readonly pageBytes?: number;
  readonly writable?: boolean;
}

/** One NIC with its machine and one queue pair. */
export class RdmaSide {
  readonly memory: PhysicalMemory;
  readonly fabric: PciFabric;
  readonly nic: RdmaNic;
  readonly peer: PciFunction;
  readonly peerMemory: BarMemory;
  readonly sent: RdmaCompletionQueue;
  readonly received: RdmaCompletionQueue;
  readonly pair: RdmaQueuePair;
  readonly events: RdmaAsyncEvent[] = [];
  #nextWrId = 1;

  constructor(
    machine: Machine,
    nic: RdmaNic,
    peer: { endpoint: PciFunction; memory: BarMemory },
    options: RdmaRigOptions,
  ) {
    this.memory = machine.memory;
    this.fabric = machine.fabric;
    this.nic = nic;
    this.peer = peer.endpoint;
    this.peerMemory = peer.memory;
    this.sent = new RdmaCompletionQueue(options.cqEntries ?? 64);
    this.received = new RdmaCompletionQueue(options.cqEntries ?? 64);
    nic.onAsyncEvent = (event) => this.events.push(event);
    this.pair = this.makePair(options.type ?? 'rc');
  }

  makePair(type: RdmaQpType, pd = 1): RdmaQueuePair {
    return this.nic.createQueuePair({
      type,
      pd,
      sendCompletions: this.sent,
      receiveCompletions: this.received,
    });
  }

  /** Makes a key for blocks at these addresses. */
  region(blocks: readonly number[], options: RegionOptions = {}): RdmaKeyEntry {
    const entry = this.nic.keys.allocate('region', options.pd ?? 1);
    if (entry === null) throw new Error('no key');
    const pageBytes = options.pageBytes ?? 4096;
    const { iova = 0x7000_0000, access = ALL_ACCESS, writable = true } = options;
    entry.rkey = entry.lkey;
    entry.validate({
      access,
      iova,
      length: options.length ?? blocks.length * pageBytes,
      translation: RdmaTranslation.of(
        pageBytes,
        blocks.map((block) => dmaAddr(block)),
        writable,
      ),
    });
    return entry;
  }

  /** Bus address of byte `offset` of the neighbour's BAR. */
  peerAddress(offset = 0): DmaAddr {
    return addOffset(dmaAddr(this.peer.bar(0)?.address ?? 0), offset);
  }

  bytesAt(address: number, bytes: number): Uint8Array {
    const found = new Uint8Array(bytes);
    if (!this.memory.read(physAddr(address), found)) throw new Error(`no memory at ${address}`);
    return found;
  }

  store(address: number, bytes: Uint8Array): void {
    if (!this.memory.write(physAddr(address), bytes)) throw new Error(`no memory at ${address}`);
  }

  /** Posts a send-queue request; signaled unless told otherwise. Returns its id. */
  post(opcode: RdmaOpcode, request: Partial<RdmaSendRequest> = {}): number {
    const wrId = this.#nextWrId;
    this.#nextWrId += 1;
    this.pair.postSend({ wrId, opcode, sges: [], signaled: true, fence: false, ...request });
    return wrId;
  }
}

/** Both sides and what joins them. */
export class RdmaRig {
  readonly scheduler: Scheduler;
  readonly clock: Clock = new Clock();
  readonly wire: RdmaWire = new RdmaWire();
  readonly a: RdmaSide;
  readonly b: RdmaSide;

  constructor(options: RdmaRigOptions = {}) {
    this.scheduler = new Scheduler({ seed: options.seed ?? 1, clock: this.clock });
    const shared = options.machines === 2 ? undefined : this.#machine(2);
    this.a = this.#side(shared ?? this.#machine(1), 0, 'a', options);
    this.b = this.#side(shared ?? this.#machine(1), shared === undefined ? 0 : 1, 'b', options);
    this.connect(options.attributes);
  }

  /** Takes both queue pairs to ready-to-send, each other's peer. */
  connect(attributes: Partial<RdmaQpAttributes> = {}): void {
    for (const [side, other] of [
      [this.a, this.b],
      [this.b, this.a],
    ] as const) {
      const { address } = other.nic;
      side.pair.modify('init', { remoteAccess: ALL_ACCESS });
      side.pair.modify('rtr', { destination: address, destinationQp: other.pair.number });
      side.pair.modify('rts', { mtu: 1024, maxRdAtomic: 4, maxDestRdAtomic: 4, ...attributes });
    }
  }

  /** Runs until nothing moves any more; returns the completions of the send queue of `a`. */
  settle(): RdmaCompletion[] {
    // A task that waits for timers lets time pass: 10 s are more than any retry takes.
    const { clock } = this;
    this.scheduler.run();
    for (let passed = 0; passed < 10_000; passed += 10) {
      clock.advanceMs(10);
      this.scheduler.run();
    }
    return this.a.sent.poll(64);
  }

  /** Statuses of the send queue of `a` after everything has settled. */
  statuses(): number[] {
    return this.settle().map(({ status }) => status);
  }

  #machine(nics: number): Plugged {
    const memory = new PhysicalMemory();
    memory.addRam(physAddr(0), 64 * MIB);
    const fabric = new PciFabric({ memory, clock: this.clock });
    const host = fabric.addHostBridge({
      memoryAperture: { base: physAddr(0xc0000000), bytes: 256 * MIB },
      prefetchAperture: { base: physAddr(2 ** 38), bytes: 1024 * MIB },
    });
    const { downstream } = fabric.addSwitch(fabric.addRootPort(host), {
      downstreamPorts: 2 * nics,
      acsCapability: 0x7f,
    });
    return { machine: { memory, fabric }, slots: downstream };
  }

  #side({ machine, slots }: Plugged, index: number, name: string, options: RdmaRigOptions): RdmaSide {
    const [nicSlot, peerSlot] = slots.slice(2 * index, 2 * index + 2);
    if (nicSlot === undefined || peerSlot === undefined) throw new Error('no free slot');
    const { scheduler, wire } = this;
    const nic = new RdmaNic(machine.fabric, nicSlot, { scheduler, wire, name });
    const memory = new BarMemory(MIB);
    const endpoint = machine.fabric.addEndpoint(peerSlot, {
      name: `${name}-peer`,
      identity: { vendorId: 0x1234, deviceId: 1, classCode: 0x058000 },
      bars: [{ index: 0, bytes: MIB, prefetchable: true, target: memory }],
    });
    machine.fabric.enumerate();
    for (const each of machine.fabric.functions) {
      if (each.secondaryBus === null) each.setCommand({ memory: true, busMaster: true });
    }
    return new RdmaSide(machine, nic, { endpoint, memory }, options);
  }
}
