// Merged pieces: the physical ranges of a mapping with neighbours joined.
// Source followed: none.
// Simplified: a mapping without pieces is one piece of unknown physical address.

import type { TracedMapping } from '../traced-mapping.ts';

/**
 * DMA address, physical address (-1 unknown) and bytes of each piece, one after the other, never empty.
 * @internal
 */
export function mergedPieces(mapping: TracedMapping): number[] {
  const { pieceDma, piecePhys, pieceBytes } = mapping;
  const merged: number[] = [];
  for (let index = 0; index < pieceDma.length; index += 1) {
    addPiece(merged, pieceDma[index] ?? 0, piecePhys[index] ?? -1, pieceBytes[index] ?? 0);
  }
  return merged.length > 0 ? merged : [mapping.dmaAddr, -1, mapping.bytes];
}

function addPiece(merged: number[], dma: number, phys: number, bytes: number): void {
  const last = merged.length - 3;
  const lastBytes = merged[last + 2] ?? 0;
  const lastPhys = merged[last + 1] ?? -1;
  const continues =
    last >= 0 &&
    (merged[last] ?? 0) + lastBytes === dma &&
    (lastPhys < 0 ? phys < 0 : lastPhys + lastBytes === phys);
  if (continues) merged[last + 2] = lastBytes + bytes;
  else merged.push(dma, phys, bytes);
}
