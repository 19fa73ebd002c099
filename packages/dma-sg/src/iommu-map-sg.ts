// iommu_map_sg: installs a scatterlist in a page table, one call per physically contiguous run, one sync for all.
// Source followed: drivers/iommu/iommu.c (iommu_map_sg).
// Entries marked as bus addresses are left out; they end a run unless their memory happens to continue it.
// Simplified: no gfp flags.

import { type DmaAddr, frameOf, offsetWithin, PAGE_SIZE } from '@sgfree/hw-model';
import { iommuSyncMap, iommuUnmap, mapFramesNosync, type PagingDomain } from '@sgfree/iommu';
import { sgDmaIsBusAddress } from './peer-bus-address.ts';
import type { Scatterlist } from './scatterlist.ts';

/**
 * Maps the first `nents` entries one behind the other from `iova` on; offsets and lengths are whole pages. Returns the
 * bytes mapped, or the negative errno of the page table with everything of this call unmapped again.
 * @public
 * @kernel iommu_map_sg
 */
export function iommuMapSg(
  domain: PagingDomain,
  iova: DmaAddr,
  sg: Scatterlist,
  nents: number,
  prot: number,
): number {
  const { pageFrame, offset, length, memoryMap } = sg;
  if (memoryMap !== null) memoryMap.touched += nents;
  const firstFrame = frameOf(iova);
  const firstOffset = offsetWithin(iova, PAGE_SIZE);
  let start = 0;
  let bytes = 0;
  let mapped = 0;
  for (let s = 0; s <= nents; s += 1) {
    // The last round looks at the last entry again and installs the run that is still open.
    const entry = s < nents ? s : nents - 1;
    const phys = (pageFrame[entry] as number) * PAGE_SIZE + (offset[entry] as number);
    if (bytes !== 0 && phys !== start + bytes) {
      const errno = mapRun(domain, firstFrame, firstOffset + mapped, start, bytes, prot);
      if (errno !== 0) return undo(domain, iova, mapped, errno);
      mapped += bytes;
      bytes = 0;
    }
    if (sgDmaIsBusAddress(sg, entry)) continue;
    if (bytes === 0) start = phys;
    bytes += length[entry] as number;
  }
  const errno = iommuSyncMap(domain, iova, mapped);
  return errno === 0 ? mapped : undo(domain, iova, mapped, errno);
}

/** One contiguous run, `distance` bytes from the start of page `firstFrame`. */
function mapRun(
  domain: PagingDomain,
  firstFrame: number,
  distance: number,
  start: number,
  bytes: number,
  prot: number,
): number {
  const iovaFrames = Math.floor(distance / PAGE_SIZE);
  const physFrame = Math.floor(start / PAGE_SIZE);
  return mapFramesNosync(
    domain,
    firstFrame + iovaFrames,
    distance - iovaFrames * PAGE_SIZE,
    physFrame,
    start - physFrame * PAGE_SIZE,
    bytes,
    prot,
  );
}

function undo(domain: PagingDomain, iova: DmaAddr, mapped: number, errno: number): number {
  iommuUnmap(domain, iova, mapped);
  return errno;
}
