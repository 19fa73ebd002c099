// RdmaNic: a network adapter that moves memory: key table, queue pairs, a port on the wire, DMA through its PCI function.
// Source followed: InfiniBand Architecture Specification 1.3, chapters 9 and 10; the kernel's rxe driver for what a queue
// pair's engines do, the mlx5 driver for what translation tables and page faults are.
// Each queue pair has three tasks: sending, serving, taking answers. They run while they have work.
// Simplified: commands are method calls and queues are objects; registers behind BAR 0 are plain memory for doorbell pages.

import { BarMemory } from '../../fabric/bar-memory.ts';
import type { TlpSizes } from '../../fabric/pci-express-capability.ts';
import type { PciFabric, PlugPoint } from '../../fabric/pci-fabric.ts';
import type { PciFunction } from '../../fabric/pci-function.ts';
import { InternalError } from '../../internal-error.ts';
import type { Scheduler } from '../../scheduler.ts';
import { TaskMutex } from '../../tasks/task-mutex.ts';
import type { ModelTask } from '../../yield-point.ts';
import { DmaEngine } from '../dma-engine.ts';
import { newRdmaCounters, type RdmaCounters } from './rdma-counters.ts';
import type { RdmaEngineParts } from './rdma-engine-parts.ts';
import { RdmaKeyTable } from './rdma-key-table.ts';
import { RdmaMemoryPort } from './rdma-memory-port.ts';
import type { RdmaPacket } from './rdma-packet.ts';
import { type RdmaPageFault, RdmaPageFaultSink } from './rdma-page-fault.ts';
import { RdmaPairEngine } from './rdma-pair-engine.ts';
import type { RdmaAsyncEvent, RdmaQpSpec, RdmaQueuePair } from './rdma-queue-pair.ts';
import type { RdmaWire, RdmaWirePort } from './rdma-wire.ts';

/**
 * How a NIC is made.
 * @public
 */
export interface RdmaNicSpec {
  /** Runs the NIC's tasks. Give it the fabric's clock, or lost packets are never sent again. */
  readonly scheduler: Scheduler;
  readonly wire: RdmaWire;
  /** Default `rdma`. */
  readonly name?: string;
  /** Rows of the key table. Default 65536. */
  readonly maxKeys?: number;
  /** Bytes of BAR 0. Default 64 KiB. */
  readonly barBytes?: number;
  /** PCI vendor and device id. Default 1b36:0020. */
  readonly identity?: { readonly vendorId: number; readonly deviceId: number };
  /** Device number on the bus; see {@link EndpointSpec}. */
  readonly device?: number;
  /** Default 256 and 512 bytes. */
  readonly tlpSizes?: TlpSizes;
}

const RDMA_CLASS_CODE = 0x020700;
const FIRST_QP_NUMBER = 0x11;

/**
 * An RDMA network adapter on a fabric.
 * @public
 */
export class RdmaNic implements RdmaWirePort {
  readonly name: string;
  /** The PCI function; its memory decoding and bus mastering are off until a driver sets them. */
  readonly endpoint: PciFunction;
  /** Issues the bus requests of this NIC. */
  readonly dma: DmaEngine;
  readonly keys: RdmaKeyTable;
  readonly counters: RdmaCounters = newRdmaCounters();
  /** Where it is on the wire. */
  readonly address: number;
  /** What lies behind BAR 0. */
  readonly doorbells: BarMemory;
  /** Told of events that belong to no completion. */
  onAsyncEvent: ((event: RdmaAsyncEvent, pair: RdmaQueuePair) => void) | null = null;
  readonly #wire: RdmaWire;
  readonly #scheduler: Scheduler;
  readonly #faults: RdmaPageFaultSink;
  readonly #parts: RdmaEngineParts;
  readonly #clock: PciFabric['clock'];
  readonly #engines = new Map<number, RdmaPairEngine>();
  #nextQpNumber = FIRST_QP_NUMBER;

  /** Plugs the NIC into a fabric and a wire; enumerate the fabric afterwards. */
  constructor(fabric: PciFabric, under: PlugPoint, spec: RdmaNicSpec) {
    const { scheduler, wire, name = 'rdma', maxKeys = 65536, barBytes = 65536, device, tlpSizes } = spec;
    this.name = name;
    this.doorbells = new BarMemory(barBytes);
    this.endpoint = fabric.addEndpoint(under, {
      name,
      identity: { ...(spec.identity ?? { vendorId: 0x1b36, deviceId: 0x0020 }), classCode: RDMA_CLASS_CODE },
      bars: [{ index: 0, bytes: barBytes, target: this.doorbells }],
      ...(device === undefined ? {} : { device }),
      ...(tlpSizes === undefined ? {} : { tlpSizes }),
    });
    this.dma = new DmaEngine(fabric, this.endpoint);
    this.keys = new RdmaKeyTable(maxKeys);
    this.#wire = wire;
    this.#scheduler = scheduler;
    this.#clock = fabric.clock;
    this.#faults = new RdmaPageFaultSink(this.counters);
    this.address = wire.plug(this);
    this.#parts = {
      keys: this.keys,
      memory: new RdmaMemoryPort(this.dma, this.endpoint, this.#faults),
      counters: this.counters,
      atomics: new TaskMutex({ name: `${name}:atomics`, lockClass: 'rdma:atomics', scheduler }),
      transmit: (packet, to) => this.#transmit(packet, to),
    };
  }

  /** Who serves page faults; null = they fail. */
  get onPageFault(): ((fault: RdmaPageFault) => void) | null {
    return this.#faults.handler;
  }

  set onPageFault(handler: ((fault: RdmaPageFault) => void) | null) {
    this.#faults.handler = handler;
  }

  /** The queue pairs, in the order of their numbers. */
  get queuePairs(): RdmaQueuePair[] {
    return [...this.#engines.values()].map(({ pair }) => pair);
  }

  /** Makes a queue pair, in the reset state. */
  createQueuePair(spec: RdmaQpSpec): RdmaQueuePair {
    const engine = new RdmaPairEngine({
      number: this.#nextQpNumber,
      spec,
      nicName: this.name,
      scheduler: this.#scheduler,
      clock: this.#clock,
      parts: this.#parts,
      report: (event, pair) => this.onAsyncEvent?.(event, pair),
    });
    this.#engines.set(this.#nextQpNumber, engine);
    this.#nextQpNumber += 1;
    return engine.pair;
  }

  /** Takes a queue pair away; returns when none of its requests is on the bus. Its work requests get no completions. */
  *destroyQueuePair(pair: RdmaQueuePair): ModelTask<void> {
    if (!this.#engines.delete(pair.number)) throw new InternalError(`no queue pair ${pair.number}`);
    pair.modify('reset');
    yield* pair.quiesce();
  }

  /** A packet from the wire. */
  receive(packet: RdmaPacket): void {
    this.counters.packetsReceived += 1;
    if (this.#engines.get(packet.qpNumber)?.deliver(packet) !== true) this.counters.packetsDropped += 1;
  }

  /** The device forgets everything: keys, queue pairs and their work; transfers stop before their next request. */
  reset(): void {
    this.dma.halt();
    for (const engine of this.#engines.values()) engine.pair.modify('reset');
    this.#engines.clear();
    this.keys.clear();
  }

  #transmit(packet: RdmaPacket, to: number): void {
    this.counters.packetsSent += 1;
    this.#wire.carry(packet, this.address, to);
  }
}
