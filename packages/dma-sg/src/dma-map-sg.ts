// dma_map_sg and dma_map_sgtable: checks that hold for every device, then the direct map or the IOMMU, then the event.
// Source followed: kernel/dma/mapping.c (__dma_map_sg_attrs, dma_map_sg_attrs, dma_map_sgtable, dma_unmap_sg_attrs).
// dma_map_sg answers every failure with 0; dma_map_sgtable keeps the errno. Both want the entry count back at unmap,
// not the segment count they returned.
// Simplified: no dma_ops other than the two backends.

import {
  checkDirection,
  type Device,
  type DmaAttrs,
  type DmaDataDirection,
  NO_ATTRS,
} from '@sgfree/dma-core';
import { DmaApiViolation, Errno, warnViolation } from '@sgfree/mm';
import { dmaDirectMapSg, dmaDirectUnmapSg } from './dma-direct-sg.ts';
import { iommuDmaMapSg, iommuDmaUnmapSg } from './iommu-dma-map-sg.ts';
import { NO_PAGE, type Scatterlist } from './scatterlist.ts';
import { debugDmaMapSg, debugDmaUnmapSg } from './sg-debug.ts';
import type { SgTable } from './sg-table.ts';
import { traceDmaMapSg, traceDmaMapSgErr, traceDmaUnmapSg } from './sg-trace.ts';

const reported: ReadonlySet<number> = new Set([-Errno.EINVAL, -Errno.ENOMEM, -Errno.EIO, -Errno.EREMOTEIO]);

/**
 * Maps the first `nents` entries of `sg` and returns the number of DMA segments, which fill the list from the front.
 * Errors: -EOPNOTSUPP (REQUIRE_COHERENT on a non-coherent device), -EREMOTEIO, -ENOMEM, -EIO, -EINVAL. 0 for a device without
 * mask (rule `dma-no-mask`). A backend result outside these posts rule `dma-map-sg-errno` and becomes -EIO.
 * Throws {@link @sgfree/mm#DmaApiViolation} `dma-bad-direction`, `sg-nents-past-end`, `sg-entry-without-page`.
 * @internal
 * @kernel __dma_map_sg_attrs
 */
export function __dmaMapSgAttrs(
  dev: Device,
  sg: Scatterlist,
  nents: number,
  dir: DmaDataDirection,
  attrs: DmaAttrs,
): number {
  checkDirection(dir);
  if (!dev.dmaCoherent && attrs.requireCoherent === true) return -Errno.EOPNOTSUPP;
  if (dev.dmaMask === null) {
    warnViolation(dev.log, 'dma-no-mask', { device: dev.name });
    return 0;
  }
  checkEntries(sg, nents);
  const ents = dev.dmaIommu
    ? iommuDmaMapSg(dev, sg, nents, dir, attrs)
    : dmaDirectMapSg(dev, sg, nents, dir, attrs);
  if (ents > 0) {
    if (dev.log.enabled) traceDmaMapSg(dev, sg, nents, ents, dir, attrs);
    if (dev.platform.debug !== null) debugDmaMapSg(dev, sg, nents, ents, dir, attrs);
    return ents;
  }
  if (reported.has(ents)) return ents;
  warnViolation(dev.log, 'dma-map-sg-errno', { device: dev.name, errno: ents });
  if (dev.log.enabled) traceDmaMapSgErr(dev, sg, nents, ents, dir, attrs);
  return -Errno.EIO;
}

/** The walk must not run past the list's end, and every entry on it must have a page. */
function checkEntries(sg: Scatterlist, nents: number): void {
  const { endMark, pageFrame } = sg;
  if (nents > sg.entryCount) throw pastEnd(nents);
  for (let s = 0; s < nents; s += 1) {
    if (endMark[s] === 1 && s < nents - 1) throw pastEnd(nents);
    if (pageFrame[s] === NO_PAGE) {
      throw new DmaApiViolation('sg-entry-without-page', `entry ${s} names no page`);
    }
  }
}

const pastEnd = (nents: number): DmaApiViolation =>
  new DmaApiViolation('sg-nents-past-end', `${nents} entries asked of a list that ends before`);

/**
 * Maps the first `nents` entries; the number of DMA segments, or 0 for any failure.
 * @public
 * @kernel dma_map_sg_attrs
 */
export const dmaMapSgAttrs = (
  dev: Device,
  sg: Scatterlist,
  nents: number,
  dir: DmaDataDirection,
  attrs: DmaAttrs,
): number => Math.max(0, __dmaMapSgAttrs(dev, sg, nents, dir, attrs));

/**
 * As {@link dmaMapSgAttrs} without attributes.
 * @public
 * @kernel dma_map_sg
 */
export const dmaMapSg = (dev: Device, sg: Scatterlist, nents: number, dir: DmaDataDirection): number =>
  dmaMapSgAttrs(dev, sg, nents, dir, NO_ATTRS);

/**
 * Maps a whole table and sets its `mappedCount`. 0, or a negative errno as {@link dmaMapSgAttrs} hides it: -EOPNOTSUPP,
 * -EREMOTEIO, -ENOMEM, -EIO, -EINVAL. A device without mask is a success with no segments, as in Linux.
 * @public
 * @kernel dma_map_sgtable
 */
export function dmaMapSgtable(dev: Device, sgt: SgTable, dir: DmaDataDirection, attrs: DmaAttrs): number {
  const nents = __dmaMapSgAttrs(dev, sgt.list, sgt.segmentCount, dir, attrs);
  if (nents < 0) return nents;
  sgt.mappedCount = nents;
  return 0;
}

/**
 * Unmaps a list; `nents` is the number of entries that was mapped, not of segments. The DMA fields stay.
 * @public
 * @kernel dma_unmap_sg_attrs
 */
export function dmaUnmapSgAttrs(
  dev: Device,
  sg: Scatterlist,
  nents: number,
  dir: DmaDataDirection,
  attrs: DmaAttrs,
): void {
  checkDirection(dir);
  if (dev.log.enabled) traceDmaUnmapSg(dev, sg, nents, dir, attrs);
  if (dev.platform.debug !== null) debugDmaUnmapSg(dev, sg, nents, dir, attrs);
  if (dev.dmaIommu) iommuDmaUnmapSg(dev, sg, nents, dir, attrs);
  else dmaDirectUnmapSg(dev, sg, nents, dir, attrs);
}

/**
 * As {@link dmaUnmapSgAttrs} without attributes.
 * @public
 * @kernel dma_unmap_sg
 */
export const dmaUnmapSg = (dev: Device, sg: Scatterlist, nents: number, dir: DmaDataDirection): void =>
  dmaUnmapSgAttrs(dev, sg, nents, dir, NO_ATTRS);

/**
 * Unmaps a whole table.
 * @public
 * @kernel dma_unmap_sgtable
 */
export const dmaUnmapSgtable = (dev: Device, sgt: SgTable, dir: DmaDataDirection, attrs: DmaAttrs): void =>
  dmaUnmapSgAttrs(dev, sgt.list, sgt.segmentCount, dir, attrs);
