// GpuResource: where a buffer object's bytes lie now: in blocks of VRAM, in pages of system memory that the card can reach, or in
// the page of registers that others may ring.
// Source followed: struct ttm_resource and struct ttm_tt (include/drm/ttm), as amdgpu and xe use them: memory types VRAM and
// TT, and amdgpu's MMIO_REMAP.
// Simplified: three memory types; system pages are always populated and mapped for the card (TTM's dma_address array).

import type { DmaAddr } from '@sgfree/hw-model';
import type { VramBlock } from './vram-block.ts';

/**
 * Memory types: `vram`; `tt`: system memory that the card reaches by DMA; `mmio-remap`: the first page of the registers.
 * @public
 */
export type GpuMemoryType = 'vram' | 'tt' | 'mmio-remap';

/**
 * Bytes in VRAM.
 * @public
 */
export interface VramResource {
  readonly kind: 'vram';
  readonly bytes: number;
  readonly blocks: readonly VramBlock[];
}

/**
 * Bytes in system memory.
 * @public
 */
export interface SystemResource {
  readonly kind: 'tt';
  readonly bytes: number;
  /** One page frame for each 4 KiB. */
  readonly frames: Float64Array;
  /** Where the card finds each page. */
  readonly addresses: readonly DmaAddr[];
}

/**
 * The page of registers; it never moves.
 * @public
 */
export interface MmioRemapResource {
  readonly kind: 'mmio-remap';
  readonly bytes: number;
}

/**
 * Where the bytes lie.
 * @public
 */
export type GpuResource = VramResource | SystemResource | MmioRemapResource;
