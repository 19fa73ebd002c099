// GuestKernel: the kernel under a guest: a VT-d unit that is always on, the disk in VFIO's hands with every door, iommufd with one of
// them, and the adapter ready to be bound for the guest.
// Source followed: a host that has booted with an IOMMU; vfio-pci and iommufd as a virtual machine monitor uses them.
// Simplified: one processor, one unit; the monitor's process is the guest's memory.

import { DmaBufPlatform } from '@sgfree/dma-buf';
import { Device, DmaPlatform } from '@sgfree/dma-core';
import { type EventLog, InternalError, type Scheduler, type VtdUnit } from '@sgfree/hw-model';
import {
  type IommufdContext,
  IommufdPlatform,
  IommufdProcess,
  iommufdFopsOpen,
  VtdBoundDevice,
} from '@sgfree/iommufd/stage-7';
import { PageAllocator, PageFrames, ProcessMemory } from '@sgfree/mm';
import { P2pPlatform, PageRoutes, pcimP2pdmaInit } from '@sgfree/p2p';
import { VfioPciDevice, vfioMappingTypes } from '@sgfree/vfio-dmabuf/stage-6';
import { DeviceTranslation } from '../device-translation.ts';
import type { NearComputer } from '../exported-bar/near-computer.ts';
import type { GuestSpaceDoor } from './guest-space-input.ts';

/** What the kernel is set up with. @internal */
export interface GuestKernelSpec {
  readonly computer: NearComputer;
  readonly scheduler: Scheduler;
  readonly log: EventLog;
  readonly door: GuestSpaceDoor;
}

/** @internal */
export class GuestKernel {
  readonly unit: VtdUnit;
  readonly p2p: P2pPlatform;
  readonly dmaBufs: DmaBufPlatform;
  /** The disk; nobody has opened it yet. */
  readonly vdev: VfioPciDevice;
  readonly process: IommufdProcess;
  /** The monitor's open of /dev/iommu. */
  readonly ctx: IommufdContext;
  /** The device that is passed through. */
  readonly device: VtdBoundDevice;
  /** Bytes asked for around dma-bufs and iommufd so far. */
  allocatedBytes = 0;

  constructor({ computer, scheduler, log, door }: GuestKernelSpec) {
    const { memory, fabric, nic, kernelRam } = computer;
    const frames = new PageFrames();
    this.p2p = new P2pPlatform({ hosts: fabric.hosts, frames, log });
    const platform = new DmaPlatform({ memory, frames, log, clock: fabric.clock });
    platform.p2p = new PageRoutes(this.p2p);
    const translation = new DeviceTranslation({ memory, fabric, kernelRam, log, translated: true });
    const { iommu, restOfRam } = translation;
    if (iommu === null) throw new InternalError('a guest without a unit');
    this.unit = iommu.unit;
    const allocate = (bytes: number): boolean => {
      this.allocatedBytes += bytes;
      return true;
    };
    this.dmaBufs = new DmaBufPlatform({ scheduler, log, debugTables: false, allocate });
    const pdev = this.p2p.devOf(computer.disk);
    pcimP2pdmaInit(pdev);
    this.vdev = new VfioPciDevice({ platform: this.dmaBufs, pdev, mapping: vfioMappingTypes() });
    const device = new Device({ name: 'iommu', platform });
    const pages = new PageAllocator(memory, restOfRam);
    this.process = new IommufdProcess(new ProcessMemory({ memory, pages, scheduler, frames }));
    const iommufd = new IommufdPlatform({ dmaBufs: this.dmaBufs, device, door });
    this.ctx = iommufdFopsOpen({ platform: iommufd, process: this.process });
    const { requesterId } = nic.endpoint;
    this.device = new VtdBoundDevice({ name: nic.endpoint.name, iommu, requesterId });
  }
}
