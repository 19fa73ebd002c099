// The direct map: without an IOMMU a device uses the physical address itself, as far as its mask reaches.
// Source followed: kernel/dma/direct.c and direct.h (dma_direct_map_phys, dma_direct_unmap_phys, dma_capable,
// dma_direct_sync_single_for_*), kernel/dma/swiotlb.c (swiotlb_map).
// Memory out of reach bounces when a pool is active, MMIO never does.
// Simplified: no memory encryption; kmalloc memory never needs bouncing (as on x86-64).

import type { DmaAddr, PhysAddr } from '@sgfree/hw-model';
import { warnViolation } from '@sgfree/mm';
import {
  isSwiotlbActive,
  isSwiotlbForceBounce,
  swiotlbSyncSingleForCpu,
  swiotlbSyncSingleForDevice,
  swiotlbTblMapSingle,
  swiotlbTblUnmapSingle,
} from './bounce-buffers.ts';
import { needsCacheSync } from './cache-maintenance.ts';
import type { Device } from './device.ts';
import type { DmaAttrs } from './dma-attrs.ts';
import type { DmaDataDirection } from './dma-direction.ts';
import { DMA_MAPPING_ERROR, minNotZero } from './dma-mask.ts';
import { dmaToPhys, physToDma } from './dma-range-map.ts';
import { traceSwiotlbBounced } from './dma-trace.ts';

/**
 * True when the device reaches all `size` bytes at `address` (-1: no address).
 * @public
 * @kernel dma_capable
 */
export function dmaCapable(dev: Device, address: number, size: number): boolean {
  return address !== DMA_MAPPING_ERROR && address + size - 1 <= minNotZero(dev.dmaMask ?? 0, dev.busDmaLimit);
}

/**
 * The bus address of `size` bytes at `phys`, bounced when out of reach; -1 when that is not possible
 * (rule `dma-address-overflow`).
 * @public
 * @kernel dma_direct_map_phys
 */
export function dmaDirectMapPhys(
  dev: Device,
  phys: PhysAddr,
  size: number,
  dir: DmaDataDirection,
  attrs: DmaAttrs,
): DmaAddr | -1 {
  const mayBounce = attrs.mmio !== true && attrs.requireCoherent !== true;
  if (isSwiotlbForceBounce(dev))
    return mayBounce ? swiotlbMap(dev, phys, size, dir, attrs) : DMA_MAPPING_ERROR;
  const address = physToDma(dev, phys);
  if (!dmaCapable(dev, address, size)) {
    if (mayBounce && isSwiotlbActive(dev)) return swiotlbMap(dev, phys, size, dir, attrs);
    return overflow(dev, address, size);
  }
  if (!dev.dmaCoherent && attrs.skipCpuSync !== true && attrs.mmio !== true) {
    dev.platform.cache?.syncForDevice(phys, size, dir);
    dev.platform.cache?.flush();
  }
  return address;
}

function overflow(dev: Device, address: DmaAddr | -1, size: number): -1 {
  const { dmaMask, busDmaLimit } = dev;
  warnViolation(dev.log, 'dma-address-overflow', { device: dev.name, address, size, dmaMask, busDmaLimit });
  return DMA_MAPPING_ERROR;
}

/**
 * Bounces `size` bytes of `phys`; -1 when there are no slots or the pool itself is out of reach.
 * @internal
 * @kernel swiotlb_map
 */
export function swiotlbMap(
  dev: Device,
  phys: PhysAddr,
  size: number,
  dir: DmaDataDirection,
  attrs: DmaAttrs,
): DmaAddr | -1 {
  traceSwiotlbBounced(dev, physToDma(dev, phys), size);
  const bounced = swiotlbTblMapSingle(dev, phys, size, 0, dir, attrs);
  if (bounced === DMA_MAPPING_ERROR) return DMA_MAPPING_ERROR;
  const address = physToDma(dev, bounced);
  if (!dmaCapable(dev, address, size)) {
    swiotlbTblUnmapSingle(dev, bounced, size, dir, { ...attrs, skipCpuSync: true });
    return overflow(dev, address, size);
  }
  if (needsCacheSync(dev, attrs)) {
    dev.platform.cache?.syncForDevice(bounced, size, dir);
    dev.platform.cache?.flush();
  }
  return address;
}

/**
 * Undoes {@link dmaDirectMapPhys}.
 * @public
 * @kernel dma_direct_unmap_phys
 */
export function dmaDirectUnmapPhys(
  dev: Device,
  address: DmaAddr,
  size: number,
  dir: DmaDataDirection,
  attrs: DmaAttrs,
): void {
  if (attrs.mmio === true || attrs.requireCoherent === true) return;
  const phys = dmaToPhys(dev, address);
  if (phys === DMA_MAPPING_ERROR) return;
  if (attrs.skipCpuSync !== true) dmaDirectSyncSingleForCpu(dev, address, size, dir);
  // The sync above has copied already.
  swiotlbTblUnmapSingle(dev, phys, size, dir, { ...attrs, skipCpuSync: true });
}

/**
 * Makes what the device wrote visible to the CPU.
 * @public
 * @kernel dma_direct_sync_single_for_cpu
 */
export function dmaDirectSyncSingleForCpu(
  dev: Device,
  address: DmaAddr,
  size: number,
  dir: DmaDataDirection,
): void {
  const phys = dmaToPhys(dev, address);
  if (phys === DMA_MAPPING_ERROR) return;
  if (!dev.dmaCoherent) {
    dev.platform.cache?.syncForCpu(phys, size, dir);
    dev.platform.cache?.flush();
  }
  swiotlbSyncSingleForCpu(dev, phys, size, dir);
}

/**
 * Makes what the CPU wrote visible to the device.
 * @public
 * @kernel dma_direct_sync_single_for_device
 */
export function dmaDirectSyncSingleForDevice(
  dev: Device,
  address: DmaAddr,
  size: number,
  dir: DmaDataDirection,
): void {
  const phys = dmaToPhys(dev, address);
  if (phys === DMA_MAPPING_ERROR) return;
  swiotlbSyncSingleForDevice(dev, phys, size, dir);
  if (dev.dmaCoherent) return;
  dev.platform.cache?.syncForDevice(phys, size, dir);
  dev.platform.cache?.flush();
}
