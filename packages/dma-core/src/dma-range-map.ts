// Range map: where a bus shifts addresses, so that a device's address is not the CPU's.
// Source followed: include/linux/dma-direct.h (struct bus_dma_region, phys_to_dma), kernel/dma/direct.c
// (dma_direct_all_ram_mapped).
// Simplified: no memory encryption bit.

import { addOffset, byteDistance, type DmaAddr, dmaAddr, type PhysAddr, physAddr } from '@sgfree/hw-model';
import type { Device } from './device.ts';
import { DMA_MAPPING_ERROR } from './dma-mask.ts';

/**
 * One contiguous piece of the map (`struct bus_dma_region`).
 * @public
 */
export interface DmaRange {
  readonly cpuStart: PhysAddr;
  readonly dmaStart: DmaAddr;
  readonly bytes: number;
}

/**
 * The bus address of a physical address; -1 when no range holds it. Without a map they are equal.
 * @public
 * @kernel phys_to_dma
 */
export function physToDma(dev: Device, phys: PhysAddr): DmaAddr | -1 {
  if (dev.dmaRanges.length === 0) return dmaAddr(phys);
  for (const range of dev.dmaRanges) {
    const inside = byteDistance(range.cpuStart, phys);
    if (inside >= 0 && inside < range.bytes) return addOffset(range.dmaStart, inside);
  }
  return DMA_MAPPING_ERROR;
}

/**
 * The physical address behind a bus address; -1 when no range holds it.
 * @public
 * @kernel dma_to_phys
 */
export function dmaToPhys(dev: Device, address: DmaAddr): PhysAddr | -1 {
  if (dev.dmaRanges.length === 0) return physAddr(address);
  for (const range of dev.dmaRanges) {
    const inside = byteDistance(range.dmaStart, address);
    if (inside >= 0 && inside < range.bytes) return addOffset(range.cpuStart, inside);
  }
  return DMA_MAPPING_ERROR;
}

/**
 * True when every byte of RAM has a bus address.
 * @public
 * @kernel dma_direct_all_ram_mapped
 */
export function dmaDirectAllRamMapped(dev: Device): boolean {
  if (dev.dmaRanges.length === 0) return true;
  return dev.platform.memory.ramRanges.every((ram) => coversAll(dev.dmaRanges, ram.base, ram.bytes));
}

/** Walks from range to range; each step ends at the byte after the range that holds the last one. */
function coversAll(ranges: readonly DmaRange[], base: PhysAddr, bytes: number): boolean {
  const end = addOffset(base, bytes);
  for (let covered = base; covered < end; ) {
    const at = covered;
    const holding = ranges.find(({ cpuStart, bytes: held }) => {
      const inside = byteDistance(cpuStart, at);
      return inside >= 0 && inside < held;
    });
    if (holding === undefined) return false;
    covered = addOffset(holding.cpuStart, holding.bytes);
  }
  return true;
}
