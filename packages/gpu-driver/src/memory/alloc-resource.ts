// Allocating what a buffer object lies in: blocks of VRAM, or pages that are mapped for the card.
// Source followed: ttm_resource_alloc, ttm_tt_populate with the DMA mapping of its pages (drivers/gpu/drm/ttm).
// Simplified: pages are taken one by one and zeroed; the mapping is bidirectional and without attributes.

import { dmaMapPhys, dmaUnmapPhys } from '@sgfree/dma-core';
import { type DmaAddr, PAGE_SIZE, physOfFrame } from '@sgfree/hw-model';
import { Errno, failure, type Outcome, success } from '@sgfree/mm';
import type { GpuCard } from '../card/gpu-card.ts';
import type { GpuBoSpec } from '../objects/gpu-bo.ts';
import type { GpuMemoryType, GpuResource, SystemResource } from './gpu-resource.ts';

/**
 * Memory of one type for `spec`. -ENOSPC when VRAM is full, -ENOMEM without pages or IOVA; -EINVAL for other registers than the
 * page.
 * @internal
 */
export function allocResource(card: GpuCard, spec: GpuBoSpec, type: GpuMemoryType): Outcome<GpuResource> {
  if (type === 'tt') return allocPages(card, spec.bytes);
  const { bytes, visible = false, mostBlockBytes } = spec;
  if (type === 'mmio-remap') {
    const isPage = card.remapPage !== null && bytes === PAGE_SIZE;
    return isPage ? success({ kind: type, bytes }) : failure(Errno.EINVAL);
  }
  const blocks = card.vram.alloc({
    bytes,
    visible,
    ...(mostBlockBytes === undefined ? {} : { mostBlockBytes }),
  });
  return blocks.ok ? success({ kind: 'vram', bytes, blocks: blocks.value }) : blocks;
}

/** Gives memory back. @internal */
export function freeResource(card: GpuCard, resource: GpuResource): void {
  if (resource.kind === 'vram') card.vram.free(resource.blocks);
  if (resource.kind === 'tt') freePages(card, resource.frames, resource.addresses);
}

function allocPages(card: GpuCard, bytes: number): Outcome<SystemResource> {
  const count = bytes / PAGE_SIZE;
  const frames = new Float64Array(count);
  const addresses: DmaAddr[] = [];
  for (let page = 0; page < count; page += 1) {
    const frame = card.pages.allocPages(0);
    const address = frame < 0 ? -1 : dmaMapPhys(card.dev, physOfFrame(frame), PAGE_SIZE, 'bidirectional', {});
    if (address === -1) {
      if (frame >= 0) card.pages.freePages(frame, 0);
      freePages(card, frames.subarray(0, page), addresses);
      return failure(Errno.ENOMEM);
    }
    frames[page] = frame;
    addresses.push(address);
  }
  return success({ kind: 'tt', bytes, frames, addresses });
}

function freePages(card: GpuCard, frames: Float64Array, addresses: readonly DmaAddr[]): void {
  for (const [page, address] of addresses.entries()) {
    dmaUnmapPhys(card.dev, address, PAGE_SIZE, 'bidirectional', {});
    card.pages.freePages(frames[page] ?? 0, 0);
  }
}
