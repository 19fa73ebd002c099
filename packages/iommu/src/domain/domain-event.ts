// Domain events: the `map` and `unmap` trace events of the IOMMU core, posted to the event log.
// Source followed: include/trace/events/iommu.h.
// Simplified: an address of 2^52 and more, which no DMA address of the model is, is posted as frame and offset.

import { ADDRESS_LIMIT } from '@sgfree/hw-model';
import type { PagingDomain } from './paging-domain.ts';

const PAGE_SIZE = 4096;

const iovaField = (frame: number, offset: number): Readonly<Record<string, number>> =>
  frame < ADDRESS_LIMIT / PAGE_SIZE
    ? { iova: frame * PAGE_SIZE + offset }
    : { iovaFrame: frame, iovaOffset: offset };

/**
 * Posts `iommu:map`: `size` is what was mapped, which after a failure may be nothing.
 * @internal
 */
export function postMapEvent(
  domain: PagingDomain,
  iovaFrame: number,
  iovaOffset: number,
  paddr: number,
  size: number,
): void {
  domain.log.post({ kind: 'iommu:map', ...iovaField(iovaFrame, iovaOffset), paddr, size });
}

/**
 * Posts `iommu:unmap` with the bytes asked for and the bytes unmapped.
 * @internal
 */
export function postUnmapEvent(
  domain: PagingDomain,
  iovaFrame: number,
  iovaOffset: number,
  size: number,
  unmappedSize: number,
): void {
  domain.log.post({ kind: 'iommu:unmap', ...iovaField(iovaFrame, iovaOffset), size, unmappedSize });
}
