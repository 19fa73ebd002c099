// KernelRegions: memory of the kernel that no driver should hand to a device, as far as a scenario wants to have it.
// Source followed: what kernel/dma/debug.c and dma_map_single_attrs ask of the address space: the current stack, text
// and rodata, the vmalloc area, reserved page frames.
// The CPU address of a byte is its physical address here; an address outside RAM stands for one without linear map.
// Simplified: one stack area for whatever runs; nothing is placed there unless it is described.

import { frameOf, liesWithin, PAGE_SIZE, type PhysAddr, type PhysRange, rawOffset } from '@sgfree/hw-model';

/**
 * Where special memory lies; absent = there is none.
 * @public
 */
export interface KernelRegions {
  /** Kernel text and read-only data. */
  readonly textAndRodata?: readonly PhysRange[];
  /** Pages of the stack that the calls run on. */
  readonly stack?: readonly PhysRange[];
  /** CPU addresses of the vmalloc area. */
  readonly vmalloc?: readonly PhysRange[];
  /** RAM whose page frames are reserved (`PageReserved`). */
  readonly reserved?: readonly PhysRange[];
}

/**
 * True when the byte at `address` lies in one of `ranges`.
 * @internal
 */
export const isWithinAny = (ranges: readonly PhysRange[], address: PhysAddr): boolean =>
  ranges.some(({ base, bytes }) => liesWithin(address, 1, base, bytes));

/**
 * True when one of `bytes` bytes from `address` lies in one of `ranges`.
 * @internal
 */
export const intersectsAny = (ranges: readonly PhysRange[], address: PhysAddr, bytes: number): boolean =>
  ranges.some(
    (range) => address < rawOffset(range.base, range.bytes) && range.base < rawOffset(address, bytes),
  );

/**
 * True when `address` lies on a page of one of `ranges`.
 * @internal
 */
export const sharesPageWithAny = (ranges: readonly PhysRange[], address: PhysAddr): boolean =>
  ranges.some(({ base, bytes }) => {
    const frame = frameOf(address);
    return frame >= frameOf(base) && frame * PAGE_SIZE < rawOffset(base, bytes);
  });
