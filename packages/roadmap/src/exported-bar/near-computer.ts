// NearComputer: the computer whose BAR is lent: a switch with an RDMA adapter below it, and an NVMe disk that belongs to a
// VFIO user, below the same switch or below another root port.
// Source followed: the project's design; NVM Express 2.0, section 8.5 (a controller memory buffer is memory behind a BAR);
// PCI Express Base Specification 6.0, section 7.5.3 (device capabilities).
// Simplified: the disk's registers are plain memory: nobody drives it here.

import {
  BarMemory,
  type Clock,
  type EventLog,
  type HostBridge,
  type PciFabric,
  type PciFunction,
  PhysicalMemory,
  type PhysRange,
  type PlugPoint,
  RdmaNic,
  type RdmaWire,
  type Scheduler,
} from '@sgfree/hw-model';
import { PeerTree } from '../peer-tree.ts';
import { PEER_BAR_BYTES, type PeerPlace } from '../peer-tree-site.ts';

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
  readonly kernelRam: PhysRange;

  constructor(spec: NearComputerSpec) {
    const { scheduler, wire } = spec;
    this.bar = spec.bar ?? new BarMemory(PEER_BAR_BYTES);
    const { memory } = this;
    const tree = new PeerTree({ ...spec, memory });
    this.fabric = tree.fabric;
    this.host = tree.host;
    this.kernelRam = tree.kernelRam;
    const [nicPort, diskPort] = tree.below;
    this.nic = new RdmaNic(this.fabric, nicPort, { scheduler, wire, name: 'near adapter' });
    this.disk = this.#addDisk(spec.peer === 'switch' ? diskPort : tree.apart);
    tree.bringUp([this.nic.endpoint, this.disk], spec.redirect === true);
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
