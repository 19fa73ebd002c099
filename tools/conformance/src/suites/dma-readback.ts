// Readback: what stands in a page table and in an IOVA tree, in the words of the records.
// Field meanings: vectors/kernel/README.md, `pt` (merged 4 KiB-granular runs `[iova, phys, len]`) and `dump`.
// Simplified: none.

import {
  addOffset,
  alignDown,
  alignUp,
  byteDistance,
  type DmaAddr,
  hex,
  PAGE_SIZE,
  type PhysAddr,
} from '@sgfree/hw-model';
import { type IovaDomain, iommuIovaToPhys, type PagingDomain } from '@sgfree/iommu';

/** A run of pages whose physical pages follow one another. */
export type ReadbackRun = readonly [iova: string, phys: string, bytes: number];

/** The mapped pages under `bytes` bytes at `start`, as few runs as possible. */
export function mappedRuns(domain: PagingDomain, start: DmaAddr, bytes: number): ReadbackRun[] {
  const runs: ReadbackRun[] = [];
  const end = alignUp(addOffset(start, bytes), PAGE_SIZE);
  let first: DmaAddr | null = null;
  let firstPhys: PhysAddr | null = null;
  const close = (at: DmaAddr): void => {
    if (first !== null && firstPhys !== null) {
      runs.push([hex(first), hex(firstPhys), byteDistance(first, at)]);
    }
    first = null;
  };
  for (let at = alignDown(start, PAGE_SIZE); at < end; at = addOffset(at, PAGE_SIZE)) {
    const phys = iommuIovaToPhys(domain, at);
    const follows =
      first !== null &&
      firstPhys !== null &&
      phys === addOffset(firstPhys as PhysAddr, byteDistance(first, at));
    if (follows) continue;
    close(at);
    if (phys === 0) continue;
    first = at;
    firstPhys = phys;
  }
  close(end);
  return runs;
}

/** The ranges of an IOVA tree, ascending, cached ones included. */
export const treeRanges = (iovad: IovaDomain): [string, string][] =>
  iovad.ranges().map(([lo, hi]) => [hex(lo), hex(hi)]);
