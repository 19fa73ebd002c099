// NearKernel: the kernel of the computer whose BAR is lent, as far as it is asked: the adapter's DMA device behind an IOMMU
// or none, the peer-to-peer rules, dma-bufs, and the disk in the hands of VFIO.
// Source followed: a machine that has booted; strict mode where there is a unit.
// Simplified: nobody but the adapter does DMA of its own; the disk answers only.

import { DmaBufPlatform } from '@sgfree/dma-buf';
import { type Device, DmaPlatform, dmaBitMask, dmaSetMask, pciDevice } from '@sgfree/dma-core';
import type { EventLog, Scheduler, VtdUnit } from '@sgfree/hw-model';
import { PageFrames } from '@sgfree/mm';
import {
  type P2pdmaMapType,
  P2pPlatform,
  PageRoutes,
  type PciDev,
  pcimP2pdmaInit,
  pcimP2pdmaProvider,
  pciP2pdmaMapType,
} from '@sgfree/p2p';
import { type VfioMapping, VfioPciDevice, type VfioPciDeviceOptions } from '@sgfree/vfio-dmabuf';
import { DeviceTranslation } from '../device-translation.ts';
import { bridgeWindowsOf } from '../peer-site.ts';
import type { WorkCounts } from '../work-counts.ts';
import { LENT_BAR, type NearComputer } from './near-computer.ts';

const DMA_BITS = 64;

/**
 * What the kernel is set up with.
 * @internal
 */
export interface NearKernelSpec {
  readonly computer: NearComputer;
  readonly scheduler: Scheduler;
  readonly log: EventLog;
  /** True: a unit translates every device's requests; false: addresses pass as they are. */
  readonly iommu: boolean;
  /** How the disk's BAR is made reachable for importers. */
  readonly mapping: VfioMapping<unknown>;
  /** Further options of the disk in VFIO's hands. */
  readonly vfio?: Partial<Omit<VfioPciDeviceOptions, 'platform' | 'pdev' | 'mapping'>>;
  /** Asked before each allocation around dma-bufs. Default: all succeed. */
  readonly allocate?: (bytes: number) => boolean;
}

/**
 * The kernel objects of the computer.
 * @internal
 */
export class NearKernel {
  readonly p2p: P2pPlatform;
  readonly dmaBufs: DmaBufPlatform;
  /** Null: nothing translates. */
  readonly unit: VtdUnit | null;
  /** The adapter as the DMA layer and the peer-to-peer rules know it. */
  readonly adapter: Device;
  readonly adapterFunction: PciDev;
  /** The disk; nobody has opened it yet. */
  readonly vdev: VfioPciDevice;
  readonly #translation: DeviceTranslation;

  constructor(spec: NearKernelSpec) {
    const { computer, scheduler, log, allocate } = spec;
    const { memory, fabric, nic } = computer;
    const frames = new PageFrames();
    this.p2p = new P2pPlatform({ hosts: fabric.hosts, frames, log });
    const platform = new DmaPlatform({ memory, frames, log, clock: fabric.clock });
    platform.p2p = new PageRoutes(this.p2p);
    const { kernelRam } = computer;
    this.#translation = new DeviceTranslation({ memory, fabric, kernelRam, log, translated: spec.iommu });
    this.unit = this.#translation.unit;
    this.adapterFunction = this.p2p.devOf(nic.endpoint);
    this.adapter = describeAdapter(computer, this.adapterFunction.name, this.#translation, platform);
    this.#translation.attach(this.adapter);
    dmaSetMask(this.adapter, dmaBitMask(DMA_BITS));
    this.dmaBufs = new DmaBufPlatform({
      scheduler,
      log,
      debugTables: false,
      ...(allocate === undefined ? {} : { allocate }),
    });
    const pdev = this.p2p.devOf(computer.disk);
    pcimP2pdmaInit(pdev);
    this.vdev = new VfioPciDevice({ ...spec.vfio, platform: this.dmaBufs, pdev, mapping: spec.mapping });
  }

  /** What the kernel decides for the adapter and the disk's memory. */
  get mapType(): P2pdmaMapType {
    const provider = pcimP2pdmaProvider(this.vdev.pdev, LENT_BAR);
    return provider === null ? 'not-supported' : pciP2pdmaMapType(provider, this.adapterFunction);
  }

  /** I/O address ranges in the hands of callers. */
  get liveIovaRanges(): number {
    return this.#translation.liveIovaRanges;
  }

  /** Leaf entries that stand in the page table, read from simulated memory. */
  get liveTableEntries(): number {
    return this.#translation.liveTableEntries;
  }

  /** The counters of hardware and IOMMU software as they stand. */
  sampleWork(): WorkCounts {
    return this.#translation.sampleWork();
  }
}

/** The adapter as the PCI core presents it to its driver. */
function describeAdapter(
  { nic, host }: NearComputer,
  name: string,
  translation: DeviceTranslation,
  platform: DmaPlatform,
): Device {
  const { requesterId } = nic.endpoint;
  return pciDevice({
    name,
    platform,
    requesterId,
    segment: host.segment,
    hostBridge: { windows: bridgeWindowsOf(host) },
    reservedRegions: translation.reservedRegions(requesterId),
  });
}
