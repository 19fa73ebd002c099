// A VFIO device whose BAR is shared with an RDMA NIC below the same switch and with one below another root port, and a peer on the
// wire that writes and reads through their keys. The BAR remembers at which clock step each write came.
// Simplified: the IOMMU has no caches; it answers from the page table in memory, and for the two NICs only.

import { DmaBufPlatform } from '@sgfree/dma-buf';
import { type Device, DmaPlatform, iommuGetDmaCookie, iommuSetupDmaOps, pciDevice } from '@sgfree/dma-core';
import {
  BarMemory,
  Clock,
  EventLog,
  type ModelTask,
  PciFabric,
  PhysicalMemory,
  type PlugPoint,
  physAddr,
  RdmaNic,
  RdmaWire,
  Scheduler,
} from '@sgfree/hw-model';
import { iommuIovaToPhys, PageTable, PagingDomain, VtdSecondStageFormat } from '@sgfree/iommu';
import { FrameAllocator, type Outcome } from '@sgfree/mm';
import { P2pPlatform, PageRoutes, pcimP2pdmaInit } from '@sgfree/p2p';
import {
  IbAccess,
  type IbCq,
  IbDevice,
  type IbPd,
  type IbQp,
  type IbWrOpcode,
  ibAllocPd,
  ibCreateCq,
  ibCreateQp,
  ibModifyQp,
  ibPollCq,
  ibPostSend,
  PageFaultService,
} from '@sgfree/rdma';
import {
  type VfioMapping,
  VfioPciDevice,
  type VfioRegionDmaRange,
  vfioPciCoreEnable,
  vfioPciCoreFeatureDmaBuf,
} from '@sgfree/vfio-dmabuf';

const MIB = 2 ** 20;
const BAR_BYTES: number = 4 * MIB;
const LOCAL_BYTES: number = 64 * 1024;
const REMOTE: number = IbAccess.REMOTE_WRITE | IbAccess.REMOTE_READ;

/** What a region over the BAR may be used for. */
export const SHARED_ACCESS: number = IbAccess.LOCAL_WRITE | REMOTE;

/** The value of an outcome that must be good. */
export function goodValue<T>(outcome: Outcome<T>): T {
  if (!outcome.ok) throw new RangeError(`errno ${outcome.errno}`);
  return outcome.value;
}

/** Memory that remembers when it was written. */
class WatchedBar extends BarMemory {
  lastWrite = -1;
  now: () => number = () => -1;

  override mmioWrite(offset: number, from: Uint8Array): boolean {
    this.lastWrite = this.now();
    return super.mmioWrite(offset, from);
  }
}

/** One NIC with everything that verbs need. */
export interface NicSide {
  readonly nic: RdmaNic;
  readonly device: IbDevice;
  readonly pd: IbPd;
  readonly cq: IbCq;
  readonly qp: IbQp;
  /** At the other end. */
  readonly peerQp: IbQp;
  readonly faults: PageFaultService;
}

/** How the machine is made. */
export interface SharedBarOptions {
  readonly iommu: boolean;
  readonly mapping: VfioMapping<unknown>;
  readonly seed?: number;
}

/** The machine. */
export class SharedBarMachine {
  readonly memory: PhysicalMemory = new PhysicalMemory();
  readonly clock: Clock = new Clock();
  readonly log: EventLog = new EventLog();
  readonly scheduler: Scheduler;
  readonly fabric: PciFabric;
  readonly bar: WatchedBar = new WatchedBar(BAR_BYTES);
  readonly vdev: VfioPciDevice;
  readonly platform: DmaBufPlatform;
  readonly near: NicSide;
  readonly far: NicSide;
  readonly domain: PagingDomain | null;
  /** Allocations of buffers and regions still allowed before one fails, -1 = never. */
  failAfter = -1;
  readonly #wire = new RdmaWire();
  readonly #peer: { readonly device: IbDevice; readonly pd: IbPd; readonly cq: IbCq };

  constructor({ iommu, mapping, seed = 1 }: SharedBarOptions) {
    const { memory, clock, log } = this;
    memory.addRam(physAddr(0), 64 * MIB);
    log.enabled = true;
    this.bar.now = () => clock.step;
    this.scheduler = new Scheduler({ seed, clock });
    this.fabric = new PciFabric({ memory, clock, log });
    const host = this.fabric.addHostBridge({
      memoryAperture: { base: physAddr(0xc0000000), bytes: 256 * MIB },
      identity: { vendorId: 0x8086, deviceId: 0x2030 },
    });
    const left = this.fabric.addRootPort(host);
    const [right, third] = [this.fabric.addRootPort(host), this.fabric.addRootPort(host)];
    const [first, second] = this.fabric.addSwitch(left, { downstreamPorts: 2 }).downstream as [
      PlugPoint,
      PlugPoint,
    ];
    const exporter = this.fabric.addEndpoint(first, {
      name: 'shared',
      identity: { vendorId: 0x1234, deviceId: 1, classCode: 0x058000 },
      bars: [{ index: 0, bytes: BAR_BYTES, width: 32, target: this.bar }],
    });
    const nics = [this.#nic(second, 'near'), this.#nic(right, 'far'), this.#nic(third, 'peer')] as const;
    this.fabric.enumerate();
    for (const fn of [exporter, ...nics.map(({ endpoint }) => endpoint)]) {
      fn.setCommand({ memory: true, busMaster: true });
    }
    const dma = new DmaPlatform({ memory, log });
    const p2p = new P2pPlatform({ hosts: this.fabric.hosts, frames: dma.frames, log });
    dma.p2p = new PageRoutes(p2p);
    this.domain = iommu ? this.#translated(nics[2].endpoint.requesterId) : null;
    const allocate = (): boolean => this.#allowed();
    this.platform = new DmaBufPlatform({ scheduler: this.scheduler, log, allocate });
    const pdev = p2p.devOf(exporter);
    pcimP2pdmaInit(pdev);
    this.vdev = new VfioPciDevice({ platform: this.platform, pdev, mapping });
    const device = new IbDevice(nics[2], { log });
    const pd = goodValue(ibAllocPd(device));
    this.#peer = { device, pd, cq: goodValue(ibCreateCq(device, 64)) };
    this.near = this.#side(nics[0], dma, allocate);
    this.far = this.#side(nics[1], dma, allocate);
    this.run(vfioPciCoreEnable(this.vdev));
  }

  run<T>(task: ModelTask<T>): T {
    return this.scheduler.runTask('test', task);
  }

  /** Exports ranges of the BAR; the descriptor. */
  export(ranges: readonly VfioRegionDmaRange[]): number {
    const request = { regionIndex: 0, openFlags: 0, flags: 0 };
    return goodValue(this.run(vfioPciCoreFeatureDmaBuf(this.vdev, request, ranges)));
  }

  /** Posts a transfer of the peer with a key of `side`; the peer's memory starts at `localAt`. */
  post(
    side: NicSide,
    opcode: IbWrOpcode,
    key: { rkey: number; at: number; bytes: number; localAt: number },
  ): void {
    const { rkey, at, bytes, localAt } = key;
    const local = { addr: localAt, length: bytes, lkey: this.#peer.pd.localDmaLkey };
    const wr = { wrId: 1, opcode, sgList: [local], remoteAddr: at, rkey, sendFlags: { signaled: true } };
    if (ibPostSend(side.peerQp, [wr], { wr: null }) !== 0) throw new RangeError('not posted');
  }

  /** Runs until nothing moves; statuses of the peer's completions. */
  settle(): number[] {
    this.scheduler.run();
    const wcs: { readonly status: number }[] = [];
    ibPollCq(this.#peer.cq, 64, wcs as Parameters<typeof ibPollCq>[2]);
    return wcs.map(({ status }) => status);
  }

  bytesAt(address: number, bytes: number): Uint8Array {
    const found = new Uint8Array(bytes);
    if (!this.memory.read(physAddr(address), found)) throw new RangeError('no memory');
    return found;
  }

  /** Steps of the log's events of one kind. */
  stepsOf(kind: string): number[] {
    return this.log.events.filter((event) => event.kind === kind).map((event) => Number(event['step']));
  }

  rules(): unknown[] {
    return this.log.events.filter(({ kind }) => kind === 'violation').map((event) => event['rule']);
  }

  /** What is left: descriptors, buffers, references of the exporter's buffers, leaves, IOVA ranges. */
  get leftovers(): number[] {
    const { files, buffers } = this.platform;
    const iova = this.domain === null ? 0 : iommuGetDmaCookie(this.domain).iovad.liveRanges;
    const krefs = this.vdev.dmabufs.reduce((sum, { kref }) => sum + kref - 1, 0);
    return [files.count, buffers.size, krefs, this.domain?.table.liveLeafEntries ?? 0, iova];
  }

  #allowed(): boolean {
    if (this.failAfter === 0) return false;
    if (this.failAfter > 0) this.failAfter -= 1;
    return true;
  }

  #nic(under: PlugPoint, name: string): RdmaNic {
    return new RdmaNic(this.fabric, under, { scheduler: this.scheduler, wire: this.#wire, name });
  }

  #translated(untranslated: number): PagingDomain {
    const frames = new FrameAllocator(this.memory, { base: physAddr(32 * MIB), bytes: 16 * MIB });
    const format = new VtdSecondStageFormat({ flushRange: true });
    const table = new PageTable({ format, memory: this.memory, frames, vaBits: 48 });
    const ops = { iotlbSync(): void {}, flushIotlbAll(): void {}, iotlbSyncMap: null };
    const domain = new PagingDomain({ table, ops, type: 'dma', log: this.log });
    this.fabric.setTranslationAgent({
      translate: (id, address) => {
        const phys = id === untranslated ? physAddr(address) : iommuIovaToPhys(domain, address);
        return phys === 0 ? -1 : phys;
      },
    });
    return domain;
  }

  #side(nic: RdmaNic, platform: DmaPlatform, allocate: () => boolean): NicSide {
    const { requesterId, name } = nic.endpoint;
    const dmaDevice: Device = pciDevice({ name, platform, requesterId });
    iommuSetupDmaOps(dmaDevice, this.domain);
    const device = new IbDevice(nic, { dmaDevice, log: this.log, allocate });
    const pd = goodValue(ibAllocPd(device));
    const cq = goodValue(ibCreateCq(device, 64));
    const qp = goodValue(ibCreateQp(pd, initAttr(cq)));
    const peerQp = goodValue(ibCreateQp(this.#peer.pd, initAttr(this.#peer.cq)));
    connect(qp, this.#peer.device, peerQp);
    connect(peerQp, device, qp);
    const faults = new PageFaultService(device, this.scheduler);
    return { nic, device, pd, cq, qp, peerQp, faults };
  }
}

/** Where the peer keeps what it sends, and where it puts what it reads. */
export const PEER_MEMORY = { source: MIB, sink: MIB + LOCAL_BYTES } as const;

const initAttr = (cq: IbCq) => ({
  qpType: 'rc' as const,
  sendCq: cq,
  recvCq: cq,
  cap: { maxSendWr: 16, maxRecvWr: 16, maxSendSge: 4, maxRecvSge: 4, maxInlineData: 64 },
});

/** Takes `qp` to ready-to-send with `remote` at the other end. */
function connect(qp: IbQp, destination: IbDevice, remote: IbQp): void {
  const steps = [
    { qpState: 'init', pkeyIndex: 0, portNum: 1, qpAccessFlags: REMOTE },
    {
      qpState: 'rtr',
      av: { destination: destination.nic.address },
      pathMtu: 1024,
      destQpNum: remote.qpNum,
      rqPsn: 0,
      maxDestRdAtomic: 4,
      minRnrTimer: 1,
    },
    { qpState: 'rts', timeout: 67, retryCnt: 7, rnrRetry: 7, sqPsn: 0, maxRdAtomic: 4 },
  ] as const;
  for (const attr of steps) if (ibModifyQp(qp, attr) !== 0) throw new RangeError(`no ${attr.qpState}`);
}
