// Swiotlb: the seam to the bounce buffers that stand in for memory a device cannot or must not reach.
// Source followed: include/linux/swiotlb.h; kernel/dma/swiotlb.c (swiotlb_max_mapping_size, is_swiotlb_active).
// Whether a pool is active decides size limits even where no mapping bounces, so that is known apart from the pool.
// Simplified: one pool a machine. One that is active but has no slots answers a mapping that would have to bounce with
// an error and a violation event.

import { alignUp, type PhysAddr } from '@sgfree/hw-model';
import { warnViolation } from '@sgfree/mm';
import type { Device } from './device.ts';
import type { DmaAttrs } from './dma-attrs.ts';
import type { DmaDataDirection } from './dma-direction.ts';
import { DMA_MAPPING_ERROR } from './dma-mask.ts';
import { SLOT_BYTES, SLOTS_PER_SEGMENT } from './swiotlb/slot-size.ts';

/**
 * The slot allocator of a bounce pool.
 * @public
 */
export interface BouncePool {
  /** Takes slots for `size` bytes of `orig` and copies them in; -1 when there is no room. */
  map(
    dev: Device,
    orig: PhysAddr,
    size: number,
    allocAlignMask: number,
    dir: DmaDataDirection,
    attrs: DmaAttrs,
  ): PhysAddr | -1;
  /** Copies back as direction and attributes say and releases the slots. */
  unmap(dev: Device, bounced: PhysAddr, size: number, dir: DmaDataDirection, attrs: DmaAttrs): void;
  /** True when an address lies in the pool. */
  contains(dev: Device, address: PhysAddr): boolean;
  /** Copies what the device wrote back, as the direction says. */
  syncForCpu(dev: Device, bounced: PhysAddr, size: number, dir: DmaDataDirection): void;
  /** Copies what the CPU wrote to the slots, as the direction says. */
  syncForDevice(dev: Device, bounced: PhysAddr, size: number, dir: DmaDataDirection): void;
}

/**
 * What the machine has of swiotlb.
 * @public
 */
export interface Swiotlb {
  /** True when a pool was set up at boot. */
  readonly active: boolean;
  /** Every mapping bounces (`swiotlb=force`, restricted pools). */
  readonly forceBounce?: boolean;
  /** The slots; null: a mapping that has to bounce fails. */
  readonly pool: BouncePool | null;
}

/**
 * Bytes of the largest mapping that can bounce: 256 KiB less the device's alignment.
 * @public
 * @kernel swiotlb_max_mapping_size
 */
export const swiotlbMaxMappingSize = (dev: Device): number =>
  SLOT_BYTES * SLOTS_PER_SEGMENT - alignUp(dev.minAlignMask, SLOT_BYTES);

/**
 * True when the device can bounce at all.
 * @public
 * @kernel is_swiotlb_active
 */
export const isSwiotlbActive = (dev: Device): boolean => dev.platform.swiotlb?.active ?? false;

/**
 * True when there are slots, so that an address may lie in a pool.
 * @internal
 */
export const hasBouncePool = (dev: Device): boolean => (dev.platform.swiotlb?.pool ?? null) !== null;

/**
 * True when every mapping of the device bounces.
 * @public
 * @kernel is_swiotlb_force_bounce
 */
export const isSwiotlbForceBounce = (dev: Device): boolean => dev.platform.swiotlb?.forceBounce ?? false;

/**
 * Slots for `size` bytes at `orig`, filled with them; -1 when there is no room (rule `swiotlb-full`). From the first
 * slots on the device's syncs have something to do.
 * @internal
 * @kernel swiotlb_tbl_map_single
 */
export function swiotlbTblMapSingle(
  dev: Device,
  orig: PhysAddr,
  size: number,
  allocAlignMask: number,
  dir: DmaDataDirection,
  attrs: DmaAttrs,
): PhysAddr | -1 {
  const pool = dev.platform.swiotlb?.pool ?? null;
  if (pool === null) {
    warnViolation(dev.log, 'swiotlb-no-slots', { device: dev.name, phys: orig, size });
    return DMA_MAPPING_ERROR;
  }
  const bounced = pool.map(dev, orig, size, allocAlignMask, dir, attrs);
  if (bounced === DMA_MAPPING_ERROR) {
    if (attrs.noWarn !== true) warnViolation(dev.log, 'swiotlb-full', { device: dev.name, size });
    return DMA_MAPPING_ERROR;
  }
  dev.dmaSkipSync = false;
  return bounced;
}

/**
 * Releases the slots behind `address`; nothing when it lies in no pool.
 * @internal
 * @kernel swiotlb_tbl_unmap_single
 */
export function swiotlbTblUnmapSingle(
  dev: Device,
  address: PhysAddr,
  size: number,
  dir: DmaDataDirection,
  attrs: DmaAttrs,
): void {
  const pool = dev.platform.swiotlb?.pool;
  if (pool?.contains(dev, address) === true) pool.unmap(dev, address, size, dir, attrs);
}

/**
 * Copies back what the device wrote to the slots behind `address`; nothing when it lies in no pool.
 * @internal
 * @kernel swiotlb_sync_single_for_cpu
 */
export function swiotlbSyncSingleForCpu(
  dev: Device,
  address: PhysAddr,
  size: number,
  dir: DmaDataDirection,
): void {
  const pool = dev.platform.swiotlb?.pool;
  if (pool?.contains(dev, address) === true) pool.syncForCpu(dev, address, size, dir);
}

/**
 * Copies to the slots behind `address` what the CPU wrote; nothing when it lies in no pool.
 * @internal
 * @kernel swiotlb_sync_single_for_device
 */
export function swiotlbSyncSingleForDevice(
  dev: Device,
  address: PhysAddr,
  size: number,
  dir: DmaDataDirection,
): void {
  const pool = dev.platform.swiotlb?.pool;
  if (pool?.contains(dev, address) === true) pool.syncForDevice(dev, address, size, dir);
}
