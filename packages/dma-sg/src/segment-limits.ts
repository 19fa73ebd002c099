// Segment limits: what a device can take as one DMA segment, in the forms in which the layout asks for them.
// Source followed: drivers/iommu/dma-iommu.c (the pad_len and seg_mask arithmetic of iommu_dma_map_sg and
// __finalise_sg). The kernel computes with u64 masks; a window of 2^64 bytes stands for no boundary at all.
// Simplified: boundary masks are 2^n - 1, as every driver writes them.

import { type Device, dmaBitMask } from '@sgfree/dma-core';

/** Largest value of a scatterlist's 32-bit fields. */
export const UINT_MAX = 0xffffffff;

/** Bytes from one segment boundary of the device to the next. */
export const boundaryWindow = (dev: Device): number => {
  const { segmentBoundaryMask } = dev;
  return segmentBoundaryMask > dmaBitMask(53) ? segmentBoundaryMask : segmentBoundaryMask + 1;
};

/** Bytes from `position` up to the next boundary; 0 on one (`(mask - position + 1) & mask`). */
export function bytesToBoundary(position: number, window: number): number {
  const past = position - Math.floor(position / window) * window;
  return past === 0 ? 0 : window - past;
}

/** True when a boundary lies at `position` (`!(position & mask)`). */
export const isBoundary = (position: number, window: number): boolean =>
  Math.floor(position / window) * window === position;
