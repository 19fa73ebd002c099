// SwiotlbPool: the bounce pool of a machine. A mapping takes neighbouring slots, which hold its bytes as long as it
// lives.
// Source followed: kernel/dma/swiotlb.c (swiotlb_tbl_map_single, swiotlb_find_slots, swiotlb_release_slots,
// __swiotlb_sync_single_for_cpu, __swiotlb_sync_single_for_device).
// Kept from Linux: bytes are copied in for every direction (swiotlb-copies-always); how much is given back stands in the
// slot, not in the call (swiotlb-release-by-slot), by the alignment of that moment (swiotlb-mask-change-leak).
// Simplified: one pool of fixed size; no dynamic, transient or restricted pools.

import {
  addOffset,
  alignUp,
  byteDistance,
  hex,
  InternalError,
  lowWord,
  type PhysAddr,
} from '@sgfree/hw-model';
import { warnViolation } from '@sgfree/mm';
import type { BouncePool } from '../bounce-buffers.ts';
import type { Device } from '../device.ts';
import type { DmaAttrs } from '../dma-attrs.ts';
import type { DmaDataDirection } from '../dma-direction.ts';
import { DMA_MAPPING_ERROR } from '../dma-mask.ts';
import { swiotlbBounce } from './bounce-copy.ts';
import { SlotArea } from './slot-area.ts';
import { slotDemand, swiotlbSearchPoolArea } from './slot-search.ts';
import { nrSlots, SLOT_BYTES, SLOT_SHIFT, SLOTS_PER_SEGMENT, swiotlbAlignOffset } from './slot-size.ts';
import { SlotTable } from './slot-table.ts';

/**
 * Where a pool lies and how it is divided.
 * @public
 */
export interface SwiotlbPoolOptions {
  /** First byte; a multiple of 2048. The machine's memory must hold the whole pool. */
  readonly start: PhysAddr;
  /** Slots of 2 KiB; 32768 (64 MiB) is Linux's default. */
  readonly slots: number;
  /** Areas of equal size; a power of two, each a multiple of 128 slots unless there is only one. Default 1. */
  readonly areas?: number;
  /** Where each area is searched first, counted within it; default 0. */
  readonly areaIndexes?: readonly number[];
}

/**
 * A bounce pool with the slot allocator of Linux.
 * @public
 */
export class SwiotlbPool implements BouncePool {
  /** First byte of the pool. */
  readonly start: PhysAddr;
  /** Length of the pool. */
  readonly bytes: number;
  readonly #table: SlotTable;
  readonly #areas: readonly SlotArea[];

  /** Throws {@link @sgfree/hw-model#InternalError} for a division that cannot be. */
  constructor({ start, slots, areas = 1, areaIndexes = [] }: SwiotlbPoolOptions) {
    if (lowWord(start) % SLOT_BYTES !== 0)
      throw new InternalError(`a pool at ${hex(start)} starts in a slot`);
    this.start = start;
    this.bytes = slots * SLOT_BYTES;
    this.#table = new SlotTable(slots);
    this.#areas = dividedIn(areas, slots, areaIndexes);
  }

  /** Slots in use. */
  get usedSlots(): number {
    return this.#areas.reduce((used, area) => used + area.used, 0);
  }

  /** Length of the free run that begins at each slot, 0 for a used one. */
  get freeRuns(): readonly number[] {
    return [...this.#table.freeRun];
  }

  /** Slots in use and the next index, by area. */
  get areas(): readonly { readonly used: number; readonly index: number }[] {
    return this.#areas.map(({ used, index }) => ({ used, index }));
  }

  /**
   * Takes slots for `size` bytes of `orig` and copies them in, whatever the direction; -1 when there is no room. The
   * address keeps the bits of the device's min_align_mask; the slots start at a multiple of `allocAlignMask` + 1.
   */
  map(dev: Device, orig: PhysAddr, size: number, allocAlignMask: number): PhysAddr | -1 {
    const offset = swiotlbAlignOffset(dev, allocAlignMask, orig);
    const total = alignUp(size + offset, allocAlignMask + 1);
    const found = this.#find(dev, orig, total, allocAlignMask);
    if (found < 0) return DMA_MAPPING_ERROR;
    const pad = offset >>> SLOT_SHIFT;
    const slot = found + pad;
    this.#table.assign(slot, nrSlots(total) - pad, pad, orig);
    const bounced = addOffset(this.start, slot * SLOT_BYTES + (offset & (SLOT_BYTES - 1)));
    swiotlbBounce(dev, this.#table, slot, bounced, size, 'in');
    return bounced;
  }

  /** The area of the current CPU first, then the others in turn. */
  #find(dev: Device, orig: PhysAddr, total: number, allocAlignMask: number): number {
    const demand = slotDemand(dev, this.start, orig, total, allocAlignMask);
    if (demand === null) return -1;
    const count = this.#areas.length;
    for (let tried = 0; tried < count; tried += 1) {
      const area = this.#areas[(dev.platform.currentCpu + tried) & (count - 1)] as SlotArea;
      const slot = swiotlbSearchPoolArea(this.#table, area, demand);
      if (slot < 0) continue;
      this.#table.take(slot, demand.slots, total, swiotlbAlignOffset(dev, 0, orig));
      return slot;
    }
    return -1;
  }

  /** Copies back as direction and attributes say, then gives the slots back. */
  unmap(dev: Device, bounced: PhysAddr, size: number, dir: DmaDataDirection, attrs: DmaAttrs): void {
    if (attrs.skipCpuSync !== true) this.syncForCpu(dev, bounced, size, dir);
    this.#release(dev, bounced);
  }

  /** A slot that is free posts rule `swiotlb-release-of-free`, and nothing is given back. */
  #release(dev: Device, bounced: PhysAddr): void {
    const offset = swiotlbAlignOffset(dev, 0, bounced);
    const table = this.#table;
    const dataSlot = this.#slotOf(addOffset(bounced, -offset));
    const slot = dataSlot - (table.padSlots[dataSlot] as number);
    if (table.freeRun[slot] !== 0) {
      warnViolation(dev.log, 'swiotlb-release-of-free', { device: dev.name, bounced });
      return;
    }
    const slots = nrSlots((table.allocSize[slot] as number) + offset);
    table.release(slot, slots);
    const area = this.#areas[Math.floor((slot * this.#areas.length) / table.freeRun.length)] as SlotArea;
    area.used -= slots;
  }

  /** True when an address lies in the pool. */
  contains(_dev: Device, address: PhysAddr): boolean {
    const offset = byteDistance(this.start, address);
    return offset >= 0 && offset < this.bytes;
  }

  /** Copies what the device wrote back to the buffer. */
  syncForCpu(dev: Device, bounced: PhysAddr, size: number, dir: DmaDataDirection): void {
    if (dir !== 'to-device') swiotlbBounce(dev, this.#table, this.#slotOf(bounced), bounced, size, 'out');
  }

  /** Copies what the CPU wrote to the slots. */
  syncForDevice(dev: Device, bounced: PhysAddr, size: number, dir: DmaDataDirection): void {
    if (dir !== 'from-device') swiotlbBounce(dev, this.#table, this.#slotOf(bounced), bounced, size, 'in');
  }

  #slotOf(address: PhysAddr): number {
    return Math.floor(byteDistance(this.start, address) / SLOT_BYTES);
  }
}

function dividedIn(areas: number, slots: number, indexes: readonly number[]): SlotArea[] {
  const each = slots / areas;
  const powerOfTwo = areas > 0 && (areas & (areas - 1)) === 0;
  const whole = areas === 1 || each % SLOTS_PER_SEGMENT === 0;
  if (!powerOfTwo || !whole) throw new InternalError(`${slots} slots do not make ${areas} areas`);
  return Array.from({ length: areas }, (_, at) => {
    const index = indexes[at] ?? 0;
    if (!(index >= 0 && index < each)) throw new InternalError(`area ${at} has no slot ${index}`);
    return new SlotArea(at * each, each, index);
  });
}
