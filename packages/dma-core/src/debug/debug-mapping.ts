// The checker's hooks around single mappings: map, unmap, the question for a mapping error, sync.
// Source followed: kernel/dma/debug.c (debug_dma_map_single, debug_dma_map_phys, debug_dma_unmap_phys,
// debug_dma_mapping_error, debug_dma_sync_single_for_*).
// Each is called where the kernel calls it: after the operation and its trace event.
// Simplified: none.

import type { DmaAddr, PhysAddr } from '@sgfree/hw-model';
import type { Device } from '../device.ts';
import { type DmaAttrs, NO_ATTRS } from '../dma-attrs.ts';
import type { DmaDataDirection } from '../dma-direction.ts';
import { DMA_MAPPING_ERROR } from '../dma-mask.ts';
import { isWithinAny } from '../kernel-regions.ts';
import { addDmaEntry } from './add-entry.ts';
import { checkForIllegalArea, checkForStack, checkMmioMark, isNoRam, isOrdinaryRam } from './check-memory.ts';
import { checkSync } from './check-sync.ts';
import { checkUnmap, markMapErrorChecked } from './check-unmap.ts';
import { singleRef } from './debug-entry.ts';
import { checkerOf } from './dma-debug.ts';

/**
 * Checks 20 and 21: `size` bytes at CPU address `addr` are about to be mapped by `dma_map_single`.
 * @internal
 * @kernel debug_dma_map_single
 */
export function debugDmaMapSingle(dev: Device, addr: PhysAddr, size: number): void {
  const debug = checkerOf(dev);
  if (debug === null) return;
  const data = { cpuAddress: addr, size };
  if (isNoRam(debug, dev, addr)) debug.report.error(dev, 'dma-debug-invalid-area', data);
  if (isWithinAny(dev.platform.kernelRegions.vmalloc ?? [], addr)) {
    debug.report.error(dev, 'dma-debug-vmalloc-area', data);
  }
}

/**
 * Check 26: false when frame `page` is a zone-device page, which is then not mapped. Also while the checker is off.
 * @internal
 */
export function debugDmaMapPage(dev: Device, page: number): boolean {
  const { debug, frames } = dev.platform;
  const kind = frames.pagemapOf(page)?.kind;
  if (debug === null || kind === undefined) return true;
  debug.report.warnOnce(dev, 'dma-debug-zone-device-page', { frame: page, pagemap: kind });
  return false;
}

/**
 * `size` bytes at `phys` were mapped at `address`; -1: they were not.
 * @internal
 * @kernel debug_dma_map_phys
 */
export function debugDmaMapPhys(
  dev: Device,
  phys: PhysAddr,
  size: number,
  direction: DmaDataDirection,
  address: DmaAddr | -1,
  attrs: DmaAttrs,
): void {
  const debug = checkerOf(dev);
  if (debug === null || address === DMA_MAPPING_ERROR) return;
  // The kernel asks dma_mapping_error here too, which marks an older mapping of the same address.
  markMapErrorChecked(debug, dev, address);
  const entry = debug.newEntry(singleRef(dev, address, size, 'phy', direction, phys, attrs));
  if (entry === null) return;
  if (attrs.mmio === true) {
    if (isOrdinaryRam(debug, dev, phys))
      debug.report.error(dev, 'dma-debug-mmio-ram', { phys, address, size });
  } else {
    checkForStack(debug, dev, phys);
    checkForIllegalArea(debug, dev, phys, size);
  }
  checkMmioMark(debug, dev, phys, size, attrs);
  addDmaEntry(debug, entry);
}

/**
 * `size` bytes at `address` were unmapped.
 * @internal
 * @kernel debug_dma_unmap_phys
 */
export function debugDmaUnmapPhys(
  dev: Device,
  address: DmaAddr | -1,
  size: number,
  direction: DmaDataDirection,
  attrs: DmaAttrs,
): void {
  const debug = checkerOf(dev);
  if (debug !== null) checkUnmap(debug, singleRef(dev, address, size, 'phy', direction, 0, attrs));
}

/**
 * The driver asked whether `address` is a mapping error.
 * @internal
 * @kernel debug_dma_mapping_error
 */
export function debugDmaMappingError(dev: Device, address: number): void {
  const debug = checkerOf(dev);
  if (debug !== null && address !== DMA_MAPPING_ERROR) {
    markMapErrorChecked(debug, dev, address);
  }
}

/**
 * `size` bytes at `address` were synced for the CPU.
 * @internal
 * @kernel debug_dma_sync_single_for_cpu
 */
export const debugDmaSyncSingleForCpu = (
  dev: Device,
  address: DmaAddr,
  size: number,
  direction: DmaDataDirection,
): void => syncSingle(dev, address, size, direction, true);

/**
 * `size` bytes at `address` were synced for the device.
 * @internal
 * @kernel debug_dma_sync_single_for_device
 */
export const debugDmaSyncSingleForDevice = (
  dev: Device,
  address: DmaAddr,
  size: number,
  direction: DmaDataDirection,
): void => syncSingle(dev, address, size, direction, false);

function syncSingle(
  dev: Device,
  address: DmaAddr,
  size: number,
  direction: DmaDataDirection,
  toCpu: boolean,
): void {
  const debug = checkerOf(dev);
  if (debug === null) return;
  checkSync(debug, singleRef(dev, address, size, 'single', direction, 0, NO_ATTRS), toCpu);
}
