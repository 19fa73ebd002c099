// ExchangeComputer: the computer of the exchange: a graphics card below a switch, an RDMA adapter and an NVMe disk beside it or below
// root ports of their own.
// Source followed: the project's design; PCI Express Base Specification 6.0.
// Simplified: one host bridge.

import {
  type BlockMedium,
  type Clock,
  type EventLog,
  GpuDevice,
  type HostBridge,
  NvmeController,
  type PciBridge,
  type PciFabric,
  PhysicalMemory,
  type PhysRange,
  RdmaNic,
  type RdmaWire,
  type Scheduler,
} from '@sgfree/hw-model';
import { PeerTree } from '../peer-tree.ts';
import type { GpuExchangePlace } from './gpu-exchange-input.ts';

/** A host bridge that is on no list of Linux 7.3.4. */
const UNLISTED = { vendorId: 0x8086, deviceId: 0x29c0 } as const;

/** @internal */
export interface ExchangeComputerSpec {
  readonly place: GpuExchangePlace;
  readonly vramBytes: number;
  readonly clock: Clock;
  readonly log: EventLog;
  readonly scheduler: Scheduler;
  readonly wire: RdmaWire;
  readonly medium: BlockMedium;
}

/** The hardware; functions answer and issue requests. @internal */
export class ExchangeComputer {
  readonly memory: PhysicalMemory = new PhysicalMemory();
  readonly fabric: PciFabric;
  readonly host: HostBridge;
  readonly gpu: GpuDevice;
  readonly nic: RdmaNic;
  readonly disk: NvmeController;
  readonly kernelRam: PhysRange;

  constructor(spec: ExchangeComputerSpec) {
    const { place, scheduler, wire, medium, vramBytes } = spec;
    const { memory } = this;
    const tree = new PeerTree({
      ...spec,
      memory,
      switchPorts: 3,
      ...(place === 'refused' || place === 'mixed' ? { hostIdentity: UNLISTED } : {}),
    });
    this.fabric = tree.fabric;
    this.host = tree.host;
    this.kernelRam = tree.kernelRam;
    const [nicPort, diskPort] = portsOf(tree, place);
    this.gpu = new GpuDevice(this.fabric, tree.below[0], { scheduler, vramBytes });
    this.nic = new RdmaNic(this.fabric, nicPort, { scheduler, wire, name: 'near adapter' });
    this.disk = new NvmeController(this.fabric, diskPort, { scheduler, medium });
    tree.bringUp([this.gpu.endpoint, this.nic.endpoint, this.disk.endpoint], false);
  }
}

function portsOf({ below, apart, fabric, host }: PeerTree, place: GpuExchangePlace): [PciBridge, PciBridge] {
  const [, second, third] = below;
  if (place === 'switch') return [second, third ?? apart];
  return place === 'mixed' ? [second, apart] : [apart, fabric.addRootPort(host)];
}
