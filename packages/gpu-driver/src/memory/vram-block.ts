// VramBlock: a piece of VRAM that an allocation holds; an allocation is one or several of them, in the order of its bytes.
// Source followed: struct gpu_buddy_block (drivers/gpu/buddy.c) as amdgpu and xe see it: a start and a size, power of two.
// Simplified: none.

/**
 * A piece of VRAM.
 * @public
 */
export interface VramBlock {
  /** Offset from the start of VRAM, a multiple of `bytes`. */
  readonly offset: number;
  /** A power of two, at least 4 KiB. */
  readonly bytes: number;
}
