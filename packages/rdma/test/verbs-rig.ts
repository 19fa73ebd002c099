// Two RDMA devices for tests of verbs: NICs on one fabric, joined by a wire, each beside a device with memory in a BAR.
// Simplified: no IOMMU: DMA addresses are bus addresses; nothing is pinned.

import {
  BarMemory,
  Clock,
  type DmaAddr,
  dmaAddr,
  EventLog,
  type ModelTask,
  PciFabric,
  PhysicalMemory,
  physAddr,
  RdmaNic,
  RdmaWire,
  Scheduler,
} from '@sgfree/hw-model';
import type { Outcome } from '@sgfree/mm';
import {
  IbAccess,
  type IbCq,
  IbDevice,
  type IbDeviceOptions,
  type IbPd,
  type IbQp,
  type IbQpInitAttr,
  type IbWc,
  ibAllocPd,
  ibCreateCq,
  ibCreateQp,
  ibModifyQp,
  ibPollCq,
} from '../src/index.ts';

const MIB = 2 ** 20;
export const REMOTE_ALL: number = IbAccess.REMOTE_WRITE | IbAccess.REMOTE_READ | IbAccess.REMOTE_ATOMIC;
export const EVERYTHING: number = REMOTE_ALL | IbAccess.LOCAL_WRITE;
export const CAP = { maxSendWr: 16, maxRecvWr: 16, maxSendSge: 4, maxRecvSge: 4, maxInlineData: 64 } as const;

/** The value of an outcome that must be good. */
export function outcomeValue<T>(outcome: Outcome<T>): T {
  if (!outcome.ok) throw new Error(`errno ${outcome.errno}`);
  return outcome.value;
}

/** One device with a protection domain, a completion queue and a queue pair. */
export interface VerbsSide {
  readonly device: IbDevice;
  readonly pd: IbPd;
  readonly cq: IbCq;
  readonly qp: IbQp;
  readonly bar: BarMemory;
  /** Bus address of the BAR beside the NIC. */
  readonly barAt: DmaAddr;
}

/** Two devices, connected. */
export class VerbsRig {
  readonly memory: PhysicalMemory = new PhysicalMemory();
  readonly clock: Clock = new Clock();
  readonly log: EventLog = new EventLog();
  readonly scheduler: Scheduler;
  readonly fabric: PciFabric;
  readonly wire: RdmaWire = new RdmaWire();
  readonly a: VerbsSide;
  readonly b: VerbsSide;

  constructor(options: IbDeviceOptions & { readonly seed?: number } = {}) {
    this.log.enabled = true;
    this.scheduler = new Scheduler({ seed: options.seed ?? 1, clock: this.clock });
    this.memory.addRam(physAddr(0), 64 * MIB);
    this.fabric = new PciFabric({ memory: this.memory, clock: this.clock, log: this.log });
    const host = this.fabric.addHostBridge({
      memoryAperture: { base: physAddr(0xc0000000), bytes: 256 * MIB },
      prefetchAperture: { base: physAddr(2 ** 38), bytes: 1024 * MIB },
    });
    const { downstream } = this.fabric.addSwitch(this.fabric.addRootPort(host), { downstreamPorts: 4 });
    const [first, second, third, fourth] = downstream;
    if (first === undefined || second === undefined || third === undefined || fourth === undefined) {
      throw new Error('too few ports');
    }
    const { scheduler, wire, fabric } = this;
    const nics = [
      new RdmaNic(fabric, first, { scheduler, wire, name: 'a' }),
      new RdmaNic(fabric, second, { scheduler, wire, name: 'b' }),
    ] as const;
    const bars = [third, fourth].map((port, i) => {
      const memory = new BarMemory(MIB);
      const endpoint = fabric.addEndpoint(port, {
        name: `peer${i}`,
        identity: { vendorId: 0x1234, deviceId: 1, classCode: 0x058000 },
        bars: [{ index: 0, bytes: MIB, prefetchable: true, target: memory }],
      });
      return { memory, endpoint };
    });
    fabric.enumerate();
    for (const each of fabric.functions) {
      if (each.secondaryBus === null) each.setCommand({ memory: true, busMaster: true });
    }
    const side = (nic: RdmaNic, i: number): VerbsSide => {
      const device = new IbDevice(nic, { log: this.log, ...options });
      const pd = outcomeValue(ibAllocPd(device));
      const cq = outcomeValue(ibCreateCq(device, 64));
      const qp = outcomeValue(ibCreateQp(pd, initAttr(cq)));
      const { memory, endpoint } = bars[i] ?? { memory: new BarMemory(MIB), endpoint: nic.endpoint };
      return { device, pd, cq, qp, bar: memory, barAt: dmaAddr(endpoint.bar(0)?.address ?? 0) };
    };
    this.a = side(nics[0], 0);
    this.b = side(nics[1], 1);
    connect(this.a, this.b);
    connect(this.b, this.a);
  }

  /** Runs a task to its end. */
  do<T>(body: ModelTask<T>): T {
    return this.scheduler.runTask('test', body);
  }

  /** Runs until nothing moves; the completions of `side`. */
  settle(side: VerbsSide = this.a): IbWc[] {
    this.scheduler.run();
    const wcs: IbWc[] = [];
    ibPollCq(side.cq, 64, wcs);
    return wcs;
  }

  bytesAt(address: number, bytes: number): Uint8Array {
    const found = new Uint8Array(bytes);
    if (!this.memory.read(physAddr(address), found)) throw new Error(`no memory at ${address}`);
    return found;
  }

  store(address: number, bytes: Uint8Array): void {
    if (!this.memory.write(physAddr(address), bytes)) throw new Error(`no memory at ${address}`);
  }
}

export const initAttr = (cq: IbCq): IbQpInitAttr => ({ qpType: 'rc', sendCq: cq, recvCq: cq, cap: CAP });

/** Takes the queue pair of `side` to ready-to-send, `peer` its destination. */
export function connect(side: VerbsSide, peer: VerbsSide): void {
  const steps = [
    { qpState: 'init', pkeyIndex: 0, portNum: 1, qpAccessFlags: REMOTE_ALL },
    {
      qpState: 'rtr',
      av: { destination: peer.device.nic.address },
      pathMtu: 1024,
      destQpNum: peer.qp.qpNum,
      rqPsn: 0,
      maxDestRdAtomic: 4,
      minRnrTimer: 1,
    },
    { qpState: 'rts', timeout: 67, retryCnt: 7, rnrRetry: 7, sqPsn: 0, maxRdAtomic: 4 },
  ] as const;
  for (const attr of steps) if (ibModifyQp(side.qp, attr) !== 0) throw new Error(`no ${attr.qpState}`);
}
