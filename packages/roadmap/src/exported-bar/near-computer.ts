// NearComputer: the computer whose BAR is lent: a switch with an RDMA adapter below it, and an NVMe disk that belongs to a
// VFIO user, below the same switch or below another root port.
// Source followed: the project's design; NVM Express 2.0, section 8.5 (a controller memory buffer is memory behind a BAR);
// PCI Express Base Specification 6.0, sections 6.12 (ACS) and 7.5.3 (device capabilities).
// Simplified: the disk's registers are plain memory: nobody drives it here.

import {
  ACS,
  addOffset,
  BarMemory,
  type Clock,
  type EventLog,
  type HostBridge,
  type PciBridge,
  PciFabric,
  type PciFunction,
  PhysicalMemory,
  type PhysRange,
  type PlugPoint,
  physAddr,
  RdmaNic,
  type RdmaWire,
  type Scheduler,
} from '@sgfree/hw-model';
import { PEER_BAR_BYTES, type PeerPlace } from '../peer-tree-site.ts';

const MIB = 2 ** 20;
const GIB = 2 ** 30;
const RAM: PhysRange = { base: physAddr(MIB), bytes: GIB - MIB };
const KERNEL_RAM_BYTES: number = 64 * MIB;
/** Number of the BAR with the disk's memory; its registers are behind BAR 0. @internal */
export const LENT_BAR = 2;
const REGISTER_BYTES = 16384;
/** Device capabilities of {@link PciFunction}'s PCI Express capability, and the bit that says it can be reset alone. */
const DEVICE_CAP_AT = 0x54;
const FLR_CAPABLE: number = 2 ** 28;

/**
 * How the computer is put together.
 * @internal
 */
export interface NearComputerSpec {
  /** Where the disk is, seen from the adapter. */
  readonly peer: PeerPlace;
  readonly clock: Clock;
  readonly log: EventLog;
  readonly scheduler: Scheduler;
  readonly wire: RdmaWire;
  /** What is behind the disk's BAR; default: {@link PEER_BAR_BYTES} of plain memory. */
  readonly bar?: BarMemory;
  /** Ports send peers' requests up, as with the ACS bits that Linux sets for an IOMMU. Default false. */
  readonly redirect?: boolean;
  /** Ids of the host bridge; default one that Linux 7.3.4 lists. */
  readonly hostIdentity?: { readonly vendorId: number; readonly deviceId: number };
}

/**
 * The hardware of the computer; functions answer and issue requests.
 * @internal
 */
export class NearComputer {
  readonly memory: PhysicalMemory = new PhysicalMemory();
  readonly fabric: PciFabric;
  readonly host: HostBridge;
  readonly nic: RdmaNic;
  /** The VFIO user's disk. */
  readonly disk: PciFunction;
  /** What is behind its {@link LENT_BAR}. */
  readonly bar: BarMemory;
  readonly kernelRam: PhysRange = {
    base: addOffset(RAM.base, RAM.bytes - KERNEL_RAM_BYTES),
    bytes: KERNEL_RAM_BYTES,
  };

  constructor(spec: NearComputerSpec) {
    const { clock, log, scheduler, wire, hostIdentity } = spec;
    this.memory.addRam(RAM.base, RAM.bytes);
    this.fabric = new PciFabric({ memory: this.memory, clock, log });
    this.bar = spec.bar ?? new BarMemory(PEER_BAR_BYTES);
    this.host = this.fabric.addHostBridge({
      memoryAperture: { base: physAddr(2 * GIB), bytes: GIB },
      prefetchAperture: { base: physAddr(64 * GIB), bytes: 4 * GIB },
      ...(hostIdentity === undefined ? {} : { identity: hostIdentity }),
    });
    const first = this.fabric.addRootPort(this.host);
    const { downstream } = this.fabric.addSwitch(first, { downstreamPorts: 2 });
    const second = this.fabric.addRootPort(this.host);
    const [nicPort, diskPort] = downstream as [PciBridge, PciBridge];
    this.nic = new RdmaNic(this.fabric, nicPort, { scheduler, wire, name: 'near adapter' });
    this.disk = this.#addDisk(spec.peer === 'switch' ? diskPort : second);
    this.fabric.enumerate();
    for (const fn of [this.nic.endpoint, this.disk]) fn.setCommand({ memory: true, busMaster: true });
    if (spec.redirect === true) for (const port of [first, second, ...downstream]) redirectAt(port);
  }

  #addDisk(under: PlugPoint): PciFunction {
    const disk = this.fabric.addEndpoint(under, {
      name: 'disk of a VFIO user',
      identity: { vendorId: 0x1b36, deviceId: 0x0010, classCode: 0x010802 },
      bars: [
        { index: 0, bytes: REGISTER_BYTES, target: new BarMemory(REGISTER_BYTES) },
        { index: LENT_BAR, bytes: this.bar.bytes, prefetchable: true, target: this.bar },
      ],
    });
    disk.config.preset(DEVICE_CAP_AT, 4, disk.config.read(DEVICE_CAP_AT, 4) + FLR_CAPABLE);
    return disk;
  }
}

function redirectAt({ config, acsAt }: PciFunction): void {
  const bits = ACS.sourceValidation | ACS.requestRedirect | ACS.completionRedirect | ACS.upstreamForwarding;
  config.write(acsAt + 6, 2, bits);
}
