// A link of an untrusted device that does not fill its granules: head and tail bounce, whole granules do not.
// Source followed: drivers/iommu/dma-iommu.c (iommu_dma_iova_link_swiotlb, iommu_dma_iova_bounce_and_link).
// A bounced head needs a slot at the same offset in its granule, so a device whose min_align_mask does not cover the
// granule gets -ENXIO (quirk link-bounce-unaligned-enxio).
// Simplified: none.

import {
  cookieOf,
  type Device,
  DMA_MAPPING_ERROR,
  type DmaAttrs,
  type DmaDataDirection,
  iommuDmaMapSwiotlb,
  swiotlbTblUnmapSingle,
} from '@sgfree/dma-core';
import { addOffset, alignUp, type DmaAddr, offsetWithin, type PhysAddr } from '@sgfree/hw-model';
import { Errno } from '@sgfree/mm';
import type { DmaIovaState } from './dma-iova-state.ts';
import { __iommuDmaIovaUnlink } from './dma-iova-unlink.ts';
import { linkGranules } from './granule-link.ts';

/**
 * Links `size` bytes at `phys` behind `state.addr + offset`, its edges bounced. 0 or the error of {@link dmaIovaLink};
 * an error after the head takes back what this call linked.
 * @internal
 * @kernel iommu_dma_iova_link_swiotlb
 */
export function iommuDmaIovaLinkSwiotlb(
  dev: Device,
  state: DmaIovaState,
  phys: PhysAddr,
  offset: number,
  size: number,
  dir: DmaDataDirection,
  attrs: DmaAttrs,
): number {
  const { granule } = cookieOf(dev);
  const pad = offsetWithin(phys, granule);
  const head = pad === 0 ? 0 : Math.min(size, granule - pad);
  if (head > 0) {
    const errno = bounceAndLink(dev, addOffset(state.addr, offset), phys, head, dir, attrs, pad);
    if (errno !== 0) return errno;
    state.usesSwiotlb = true;
    if (head === size) return 0;
  }
  const tail = offsetWithin(addOffset(phys, size), granule);
  const middle = size - head - tail;
  let mapped = head;
  const link = (bytes: number, bounced: boolean): number => {
    if (bytes === 0) return 0;
    const address = addOffset(state.addr, offset + mapped);
    const from = addOffset(phys, mapped);
    const errno = bounced
      ? bounceAndLink(dev, address, from, bytes, dir, attrs, 0)
      : linkGranules(dev, address, from, bytes, dir, attrs);
    if (errno === 0) mapped += bytes;
    return errno;
  };
  let errno = link(middle, false);
  if (errno === 0) errno = link(tail, true);
  if (errno !== 0 && mapped > 0) __iommuDmaIovaUnlink(dev, state, offset, mapped, dir, attrs);
  if (errno === 0 && tail > 0) state.usesSwiotlb = true;
  return errno;
}

/** Bounces `bytes` bytes at `phys` and maps the slot's granule, from `pad` bytes before `address` on. */
function bounceAndLink(
  dev: Device,
  address: DmaAddr,
  phys: PhysAddr,
  bytes: number,
  dir: DmaDataDirection,
  attrs: DmaAttrs,
  pad: number,
): number {
  const bounced = iommuDmaMapSwiotlb(dev, phys, bytes, dir, attrs);
  if (bounced === DMA_MAPPING_ERROR) return -Errno.ENOMEM;
  const length = alignUp(bytes, cookieOf(dev).granule);
  const errno = linkGranules(dev, addOffset(address, -pad), addOffset(bounced, -pad), length, dir, attrs);
  if (errno !== 0) swiotlbTblUnmapSingle(dev, bounced, bytes, dir, attrs);
  return errno;
}
