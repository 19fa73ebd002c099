// Device: what the DMA layer knows of one device, its masks, limits and the road its mappings take.
// Source followed: include/linux/device.h (struct device, struct device_dma_parameters), drivers/pci/probe.c
// (pci_device_add sets the PCI presets), include/linux/dma-mapping.h (the getters' defaults).
// Simplified: no dma_ops other than the two backends; the driver model is not here.

import type { EventLog } from '@sgfree/hw-model';
import type { ReservedRegion } from '@sgfree/iommu';
import { warnViolation } from '@sgfree/mm';
import { dmaBitMask } from './dma-mask.ts';
import type { DmaPlatform } from './dma-platform.ts';
import type { DmaRange } from './dma-range-map.ts';
import type { HostBridge } from './host-bridge.ts';
import type { IommuDmaCookie } from './iommu-dma-cookie.ts';

/** `dma_get_max_seg_size` without a driver's own value. */
const DEFAULT_MAX_SEGMENT_SIZE = 65536;

/** `dma_get_seg_boundary` without a driver's own value: no boundary. */
const NO_SEGMENT_BOUNDARY: number = 2 ** 64;

/**
 * How a device starts out; everything but name and platform has the default of a bare `struct device`.
 * @public
 */
export interface DeviceOptions {
  readonly name: string;
  readonly platform: DmaPlatform;
  /** Bus \<\< 8 | devfn as on the bus. */
  readonly requesterId?: number;
  /** PCI segment (domain); default 0. */
  readonly segment?: number;
  /** Streaming mask; null: no mask pointer at all. */
  readonly dmaMask?: number | null;
  readonly coherentDmaMask?: number;
  /** What the bus in between can carry, 0 = all. */
  readonly busDmaLimit?: number;
  /** False: no `dma_parms`, so limits cannot be set. */
  readonly hasDmaParms?: boolean;
  readonly dmaRanges?: readonly DmaRange[];
  readonly dmaCoherent?: boolean;
  readonly untrusted?: boolean;
  readonly isPci?: boolean;
  /** A flush is expensive (s390 under a hypervisor): lazy domains use one long ring; default false. */
  readonly shadowOnFlush?: boolean;
  readonly hostBridge?: HostBridge | null;
  readonly reservedRegions?: readonly ReservedRegion[];
}

/**
 * A device that does DMA.
 * @public
 */
export class Device {
  readonly name: string;
  readonly platform: DmaPlatform;
  readonly requesterId: number;
  readonly segment: number;
  readonly isPci: boolean;
  readonly dmaCoherent: boolean;
  readonly untrusted: boolean;
  readonly shadowOnFlush: boolean;
  readonly hasDmaParms: boolean;
  readonly dmaRanges: readonly DmaRange[];
  readonly hostBridge: HostBridge | null;
  readonly reservedRegions: readonly ReservedRegion[];
  /** Highest address the bus carries, 0 = all; see {@link dmaBitMask}. */
  busDmaLimit: number;
  /** Streaming mask, null when the device has no mask pointer. See {@link dmaBitMask} for its representation. */
  dmaMask: number | null;
  coherentDmaMask: number;
  /** Bytes of the longest segment the device takes; 32-bit. */
  maxSegmentSize: number = DEFAULT_MAX_SEGMENT_SIZE;
  /** 2^n - 1: segments must not cross multiples of 2^n; 2^64 = no boundary. */
  segmentBoundaryMask: number = NO_SEGMENT_BOUNDARY;
  /** Address bits that a bounce buffer must keep. */
  minAlignMask = 0;
  /** True when mappings go through the IOMMU (`dev.dma_iommu`). */
  dmaIommu = false;
  /** True when syncs have nothing to do (`dev.dma_skip_sync`). */
  dmaSkipSync = false;
  /** True while 32-bit IOVAs are tried first (`iommu.pci_32bit_workaround`). */
  pci32BitWorkaround = false;
  /** Name of the bound driver, null without one. */
  driver: string | null = null;
  /** The DMA cookie of the device's domain, null without an IOMMU. */
  cookie: IommuDmaCookie | null = null;

  constructor(options: DeviceOptions) {
    this.name = options.name;
    this.platform = options.platform;
    this.requesterId = options.requesterId ?? 0;
    this.segment = options.segment ?? 0;
    this.isPci = options.isPci ?? false;
    this.dmaCoherent = options.dmaCoherent ?? true;
    this.untrusted = options.untrusted ?? false;
    this.shadowOnFlush = options.shadowOnFlush ?? false;
    this.hasDmaParms = options.hasDmaParms ?? false;
    this.dmaRanges = options.dmaRanges ?? [];
    this.hostBridge = options.hostBridge ?? null;
    this.reservedRegions = options.reservedRegions ?? [];
    this.busDmaLimit = options.busDmaLimit ?? 0;
    this.dmaMask = options.dmaMask === undefined ? dmaBitMask(32) : options.dmaMask;
    this.coherentDmaMask = options.coherentDmaMask ?? 0;
  }

  get log(): EventLog {
    return this.platform.log;
  }
}

/**
 * A device as the PCI core presents it: 32-bit masks, segments of 64 KiB that do not cross 4 GiB.
 * @public
 */
export function pciDevice(options: DeviceOptions): Device {
  const dev = new Device({ coherentDmaMask: dmaBitMask(32), hasDmaParms: true, isPci: true, ...options });
  dev.segmentBoundaryMask = dmaBitMask(32);
  return dev;
}

/**
 * The streaming mask, 2^32 - 1 when there is none.
 * @public
 * @kernel dma_get_mask
 */
export const dmaGetMask = (dev: Device): number =>
  dev.dmaMask === null || dev.dmaMask === 0 ? dmaBitMask(32) : dev.dmaMask;

/**
 * Sets the longest segment in bytes (0 = the default); only warns on a device without `dma_parms`.
 * @public
 * @kernel dma_set_max_seg_size
 */
export function dmaSetMaxSegSize(dev: Device, size: number): void {
  if (hasParms(dev)) dev.maxSegmentSize = size === 0 ? DEFAULT_MAX_SEGMENT_SIZE : size;
}

/**
 * Sets the segment boundary mask (0 = none); only warns on a device without `dma_parms`.
 * @public
 * @kernel dma_set_seg_boundary
 */
export function dmaSetSegBoundary(dev: Device, mask: number): void {
  if (hasParms(dev)) dev.segmentBoundaryMask = mask === 0 ? NO_SEGMENT_BOUNDARY : mask;
}

/**
 * Sets the address bits that bouncing must keep; only warns on a device without `dma_parms`.
 * @public
 * @kernel dma_set_min_align_mask
 */
export function dmaSetMinAlignMask(dev: Device, minAlignMask: number): void {
  if (hasParms(dev)) dev.minAlignMask = minAlignMask;
}

function hasParms(dev: Device): boolean {
  if (!dev.hasDmaParms) warnViolation(dev.log, 'dma-no-parms', { device: dev.name });
  return dev.hasDmaParms;
}
