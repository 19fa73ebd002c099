// The measures of a bounce pool: slots of 2 KiB, in segments of 128 that no mapping crosses.
// Source followed: include/linux/swiotlb.h (IO_TLB_SHIFT, IO_TLB_SEGSIZE), kernel/dma/swiotlb.c (nr_slots,
// swiotlb_align_offset).
// Simplified: none.

import { lowWord, type PhysAddr } from '@sgfree/hw-model';
import type { Device } from '../device.ts';

/** Bytes of one slot (`IO_TLB_SIZE`). @internal */
export const SLOT_BYTES = 2048;

/** Base-2 logarithm of {@link SLOT_BYTES} (`IO_TLB_SHIFT`). @internal */
export const SLOT_SHIFT = 11;

/** Slots of a segment, and so of the longest mapping (`IO_TLB_SEGSIZE`). @internal */
export const SLOTS_PER_SEGMENT = 128;

/**
 * Slots that hold `bytes` bytes.
 * @internal
 * @kernel nr_slots
 */
export const nrSlots = (bytes: number): number => Math.ceil(bytes / SLOT_BYTES);

/**
 * The low address bits that a slot of the device keeps: those of its min_align_mask, within a slot or, when more is
 * aligned, within that.
 * @internal
 * @kernel swiotlb_align_offset
 */
export const swiotlbAlignOffset = (dev: Device, alignMask: number, address: PhysAddr): number =>
  (lowWord(address) & dev.minAlignMask & (alignMask | (SLOT_BYTES - 1))) >>> 0;
