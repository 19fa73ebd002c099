// The physical ranges behind a part of a buffer, neighbours joined, so that a page table gets its largest pages.
// Source followed: the walk over a physical list in the RFC's changes to iommufd, and the batches of
// drivers/iommu/iommufd/pages.c, which join neighbouring frames.
// Simplified: none.

import { addOffset, byteDistance, type PhysAddr } from '@sgfree/hw-model';
import type { PhysVec } from '../phys-vec.ts';

/**
 * The ranges of bytes `offset` up to `offset + length` of what `phys` lists in the order of its bytes.
 * @internal
 */
export function windowRuns(phys: readonly PhysVec[], offset: number, length: number): PhysVec[] {
  const runs: { paddr: PhysAddr; len: number }[] = [];
  let base = 0;
  for (const { paddr, len } of phys) {
    const first = Math.max(offset, base);
    const end = Math.min(offset + length, base + len);
    if (first < end) append(runs, addOffset(paddr, first - base), end - first);
    base += len;
  }
  return runs;
}

function append(runs: { paddr: PhysAddr; len: number }[], paddr: PhysAddr, len: number): void {
  const before = runs.at(-1);
  if (before !== undefined && byteDistance(before.paddr, paddr) === before.len) before.len += len;
  else runs.push({ paddr, len });
}
