// The slot search: where in an area of a bounce pool a mapping goes. First fit from a moving index, not from the start.
// Source followed: kernel/dma/swiotlb.c (swiotlb_search_pool_area), include/linux/iommu-helper.h (iommu_is_span_boundary).
// Kept from Linux: a mapping of a page or more is aligned to pages only when nobody asks for any alignment
// (swiotlb-implicit-page-align); addresses are compared within the segment boundary window of the pool's start; a step
// over a whole stride counts in full even where the area ends in it.
// Simplified: no dynamic pools.

import { lowWord, offsetWithin, PAGE_SIZE, type PhysAddr } from '@sgfree/hw-model';
import { DmaApiViolation } from '@sgfree/mm';
import type { Device } from '../device.ts';
import { DMA_MAPPING_ERROR } from '../dma-mask.ts';
import { physToDma } from '../dma-range-map.ts';
import type { SlotArea } from './slot-area.ts';
import { nrSlots, SLOT_BYTES, SLOT_SHIFT, SLOTS_PER_SEGMENT } from './slot-size.ts';
import type { SlotTable } from './slot-table.ts';

/**
 * What a run of free slots must be like to serve a mapping.
 * @internal
 */
export interface SlotDemand {
  /** Length of the run. */
  readonly slots: number;
  /** Bits of the run's address that must be zero. */
  readonly alignMask: number;
  /** Bits of the run's address that must be those of `keptBits`; 0 when no buffer is given. */
  readonly keptMask: number;
  readonly keptBits: number;
  /** Slots from one candidate to the next. */
  readonly stride: number;
  /** Low word of the pool's bus address, taken within the boundary window. */
  readonly base: number;
  /** The same in slots. */
  readonly baseSlots: number;
  /** Slots between two addresses that no mapping may cross. */
  readonly windowSlots: number;
}

/**
 * The demand of a mapping of `total` bytes that stands in for memory at `orig` (0 = for none). Null when the pool is
 * out of the device's address range. Throws rule `swiotlb-odd-boundary` when the device's segment boundary is no power
 * of two less one, which is a BUG in the kernel.
 * @internal
 */
export function slotDemand(
  dev: Device,
  poolStart: PhysAddr,
  orig: PhysAddr,
  total: number,
  allocAlignMask: number,
): SlotDemand | null {
  const start = physToDma(dev, poolStart);
  if (start === DMA_MAPPING_ERROR) return null;
  const wholePages = allocAlignMask === 0 && dev.minAlignMask === 0 && total >= PAGE_SIZE;
  const alignMask = ((wholePages ? PAGE_SIZE - 1 : allocAlignMask) | (SLOT_BYTES - 1)) >>> 0;
  const keptMask = (dev.minAlignMask & ~alignMask) >>> 0;
  const base = offsetWithin(start, dev.segmentBoundaryMask + 1);
  return {
    slots: nrSlots(total),
    alignMask,
    keptMask: orig === 0 ? 0 : keptMask,
    keptBits: lowWord(orig) & keptMask,
    stride: (Math.max(alignMask, keptMask) >>> SLOT_SHIFT) + 1,
    base: base | 0,
    baseSlots: nrSlots(base),
    windowSlots: windowSlotsOf(dev),
  };
}

function windowSlotsOf(dev: Device): number {
  const window = nrSlots(dev.segmentBoundaryMask + 1);
  if (2 ** Math.round(Math.log2(window)) !== window) {
    throw new DmaApiViolation('swiotlb-odd-boundary', `segment boundary mask ${dev.segmentBoundaryMask}`);
  }
  return window;
}

/**
 * The first slot of a run in `area` that meets the demand, and moves the area's index behind it; -1 when there is none.
 * @internal
 * @kernel swiotlb_search_pool_area
 */
export function swiotlbSearchPoolArea(table: SlotTable, area: SlotArea, demand: SlotDemand): number {
  const { slots, alignMask, keptMask, keptBits, stride, base } = demand;
  if (slots > SLOTS_PER_SEGMENT || slots > area.slotCount - area.used) return -1;
  const { freeRun } = table;
  let index = area.index;
  for (let checked = 0; checked < area.slotCount; ) {
    const slot = area.firstSlot + index;
    const address = base + slot * SLOT_BYTES;
    let step = 1;
    if ((address & alignMask) === 0 && (address & keptMask) === keptBits) {
      if ((freeRun[slot] as number) >= slots && !crossesWindow(demand, slot)) {
        area.index = area.wrapped(index + slots);
        area.used += slots;
        return slot;
      }
      step = stride;
    }
    index = area.wrapped(index + step);
    checked += step;
  }
  return -1;
}

const crossesWindow = ({ slots, baseSlots, windowSlots }: SlotDemand, slot: number): boolean =>
  offsetWithin(baseSlots + slot, windowSlots) + slots > windowSlots;
