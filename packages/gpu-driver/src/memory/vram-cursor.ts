// The cursor over the blocks of a resource: a part of a buffer, in the pieces in which it lies.
// Source followed: amdgpu_res_cursor.h and xe_res_cursor.h: walk blocks from an offset on, each piece at most as long as asked.
// Simplified: VRAM and pages only; pieces of neighbouring blocks are not joined, as in the kernel.

import { addOffset, type GpuPlace, PAGE_SIZE } from '@sgfree/hw-model';
import type { GpuResource, SystemResource, VramResource } from './gpu-resource.ts';
import type { VramBlock } from './vram-block.ts';

/**
 * Bytes `start` to `start + bytes` of a resource, in pieces of at most `most` bytes, as offsets in VRAM.
 * @public
 */
export function* vramPieces(
  { blocks }: VramResource,
  start: number,
  bytes: number,
  most: number = Number.POSITIVE_INFINITY,
): Generator<VramBlock, void, void> {
  let skipped = 0;
  let left = bytes;
  for (const block of blocks) {
    const from = Math.max(start - skipped, 0);
    skipped += block.bytes;
    for (let at = from; at < block.bytes && left > 0; ) {
      const piece = Math.min(block.bytes - at, left, most);
      yield { offset: block.offset + at, bytes: piece };
      at += piece;
      left -= piece;
    }
  }
}

/** A piece of a resource as the copy engine addresses it. @internal */
export interface CopyPiece {
  readonly place: GpuPlace;
  readonly bytes: number;
}

/** `bytes` behind `place`. @internal */
export const placeAt = (place: GpuPlace, bytes: number): GpuPlace =>
  'bus' in place ? { bus: addOffset(place.bus, bytes) } : { vram: place.vram + bytes };

/** All pieces of a resource, as the copy engine addresses them. @internal */
export function copyPieces(resource: GpuResource): CopyPiece[] {
  if (resource.kind === 'tt') return pagePieces(resource);
  if (resource.kind === 'mmio-remap') return [];
  return resource.blocks.map(({ offset, bytes }) => ({ place: { vram: offset }, bytes }));
}

function pagePieces({ addresses }: SystemResource): CopyPiece[] {
  return addresses.map((bus) => ({ place: { bus }, bytes: PAGE_SIZE }));
}
