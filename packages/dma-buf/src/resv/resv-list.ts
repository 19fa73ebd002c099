// Lists of fences: how many slots there are for a wanted number, as the slab allocator rounds up.
// Source followed: dma_resv_list_alloc in drivers/dma-buf/dma-resv.c; kmalloc_size_roundup and the sizes of the slab
// allocator on x86-64; the list's structure size.
// Simplified: none.

import type { DmaBufPlatform } from '../dma-buf-platform.ts';
import type { DmaResvList } from './dma-resv.ts';

const LIST_HEADER_BYTES = 24;
const SLOT_BYTES = 8;

/**
 * An empty list with at least `wanted` slots; null without memory.
 * @kernel dma_resv_list_alloc
 * @internal
 */
export function dmaResvListAlloc(platform: DmaBufPlatform, wanted: number): DmaResvList | null {
  const bytes = kmallocBytes(LIST_HEADER_BYTES + wanted * SLOT_BYTES);
  if (!platform.allocate(bytes)) return null;
  return { entries: [], capacity: Math.floor((bytes - LIST_HEADER_BYTES) / SLOT_BYTES) };
}

/** What an allocation of `bytes` really gets: slabs of 96 and 192 bytes, else powers of two, above the slabs as well. */
function kmallocBytes(bytes: number): number {
  if (bytes > 64 && bytes <= 96) return 96;
  if (bytes > 128 && bytes <= 192) return 192;
  return roundUpPowerOfTwo(bytes);
}

/** The lowest power of two that is not below `value`. @internal */
export function roundUpPowerOfTwo(value: number): number {
  let power = 1;
  while (power < value) power *= 2;
  return power;
}
