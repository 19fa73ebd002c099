// Stub fences: signaled from the start, for whoever needs a fence where nothing is left to wait for.
// Source followed: dma_fence_get_stub and dma_fence_allocate_private_stub in drivers/dma-buf/dma-fence.c.
// Simplified: none.

import type { DmaBufPlatform } from '../dma-buf-platform.ts';
import { type DmaFence, dmaFenceGet, dmaFenceInit, dmaFenceSignal } from './dma-fence.ts';

/** Structure size of a fence in bytes, for allocation accounting. */
const DMA_FENCE_BYTES = 64;

const stubs = new WeakMap<DmaBufPlatform, DmaFence>();

/**
 * The machine's signaled fence, context 0 and sequence number 0, with one more reference.
 * @kernel dma_fence_get_stub
 * @public
 */
export function dmaFenceGetStub(platform: DmaBufPlatform): DmaFence {
  const known = stubs.get(platform);
  if (known !== undefined) return dmaFenceGet(known);
  const made = signaledFence(platform, 0, platform.nowMs);
  stubs.set(platform, made);
  return dmaFenceGet(made);
}

/**
 * A signaled fence of its own that signaled at `timestampMs`; null when there is no memory.
 * @kernel dma_fence_allocate_private_stub
 * @public
 */
export function dmaFenceAllocatePrivateStub(platform: DmaBufPlatform, timestampMs: number): DmaFence | null {
  if (!platform.allocate(DMA_FENCE_BYTES)) return null;
  return signaledFence(platform, 0, timestampMs);
}

function signaledFence(platform: DmaBufPlatform, context: number, timestampMs: number): DmaFence {
  const fence = dmaFenceInit(platform, { name: 'stub' }, { context, seqno: 0 });
  fence.timestampMs = timestampMs;
  fence.signalingEnabled = true;
  dmaFenceSignal(fence);
  return fence;
}
