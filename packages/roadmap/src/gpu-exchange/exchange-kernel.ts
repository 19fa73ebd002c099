// ExchangeKernel: the kernel of that computer as far as it is asked: three devices behind an IOMMU or none, the peer-to-peer rules,
// dma-bufs, and the card's driver.
// Source followed: a machine that has booted; strict mode where there is a unit.
// Simplified: as DeviceTranslation: a domain per device, also below one switch.

import { DmaBufPlatform } from '@sgfree/dma-buf';
import { type Device, DmaPlatform, dmaBitMask, dmaSetMask, pciDevice } from '@sgfree/dma-core';
import { GpuCard } from '@sgfree/gpu-driver';
import { addOffset, type EventLog, type PciFunction, type PhysRange, type Scheduler } from '@sgfree/hw-model';
import { PageAllocator, PageFrames } from '@sgfree/mm';
import { type P2pdmaMapType, P2pPlatform, PageRoutes, pciP2pdmaMapType } from '@sgfree/p2p';
import { DeviceTranslation } from '../device-translation.ts';
import { bridgeWindowsOf } from '../peer-site.ts';
import type { ExchangeComputer } from './exchange-computer.ts';

const DMA_BITS = 64;

/** @internal */
export interface ExchangeKernelSpec {
  readonly computer: ExchangeComputer;
  readonly scheduler: Scheduler;
  readonly log: EventLog;
  readonly iommu: boolean;
}

/** @internal */
export class ExchangeKernel {
  readonly p2p: P2pPlatform;
  readonly dmaBufs: DmaBufPlatform;
  readonly translation: DeviceTranslation;
  /** Coherent memory. */
  readonly pages: PageAllocator;
  /** System memory of the card's objects, and where it lies: nothing else is there. */
  readonly cardPages: PageAllocator;
  readonly cardRam: PhysRange;
  readonly nic: Device;
  readonly disk: Device;
  readonly card: GpuCard;
  readonly #platform: DmaPlatform;
  readonly #computer: ExchangeComputer;

  constructor({ computer, scheduler, log, iommu }: ExchangeKernelSpec) {
    const { memory, fabric, gpu, nic, disk, kernelRam } = computer;
    this.#computer = computer;
    const frames = new PageFrames();
    this.p2p = new P2pPlatform({ hosts: fabric.hosts, frames, log });
    this.translation = new DeviceTranslation({ memory, fabric, kernelRam, log, translated: iommu });
    const { base, bytes } = this.translation.restOfRam;
    this.cardRam = { base: addOffset(base, bytes / 2), bytes: bytes / 2 };
    this.pages = new PageAllocator(memory, { base, bytes: bytes / 2 });
    this.cardPages = new PageAllocator(memory, this.cardRam);
    this.#platform = new DmaPlatform({ memory, pages: this.pages, frames, log, clock: fabric.clock });
    this.#platform.p2p = new PageRoutes(this.p2p);
    const dev = this.#attach(gpu.endpoint);
    this.nic = this.#attach(nic.endpoint);
    this.disk = this.#attach(disk.endpoint);
    this.dmaBufs = new DmaBufPlatform({ scheduler, log, debugTables: false });
    const { dmaBufs, cardPages: pages } = this;
    this.card = new GpuCard({ gpu, pdev: this.p2p.devOf(gpu.endpoint), dev, dmaBufs, pages });
  }

  /** What the kernel decides for a device and the card's memory. */
  mapTypeOf(dev: Device): P2pdmaMapType {
    return pciP2pdmaMapType(this.card.provider, dev);
  }

  /** A function as the PCI core presents it to its driver, in a domain of its own. */
  #attach(fn: PciFunction): Device {
    const { requesterId } = fn;
    const { host } = this.#computer;
    const dev = pciDevice({
      name: this.p2p.devOf(fn).name,
      platform: this.#platform,
      requesterId,
      segment: host.segment,
      hostBridge: { windows: bridgeWindowsOf(host) },
      reservedRegions: this.translation.reservedRegions(requesterId),
    });
    this.translation.attach(dev);
    dmaSetMask(dev, dmaBitMask(DMA_BITS));
    return dev;
  }
}
