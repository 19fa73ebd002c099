// Where an object's bytes lie: its pages, in VRAM or in system memory, as whoever looks at the machine from outside finds them.
// Source followed: none.
// Simplified: objects in VRAM or system memory only.

import type { GpuBo, GpuResource } from '@sgfree/gpu-driver';
import { type GpuDevice, PAGE_SIZE, type PhysicalMemory } from '@sgfree/hw-model';

/** A page: its number in VRAM, or its frame in system memory. @internal */
export interface ObjectPage {
  readonly vram: boolean;
  readonly page: number;
}

/** Every page of a resource, in the order of its bytes. @internal */
export function pagesOf(resource: GpuResource): ObjectPage[] {
  if (resource.kind === 'tt') return [...resource.frames].map((page) => ({ vram: false, page }));
  if (resource.kind === 'mmio-remap') return [];
  return resource.blocks.flatMap(({ offset, bytes }) =>
    Array.from({ length: bytes / PAGE_SIZE }, (_, index) => ({
      vram: true,
      page: offset / PAGE_SIZE + index,
    })),
  );
}

/** Physically contiguous runs of a resource. @internal */
export function physicalRuns(resource: GpuResource): number {
  let runs = 0;
  let next = -1;
  for (const { page } of pagesOf(resource)) {
    if (page !== next) runs += 1;
    next = page + 1;
  }
  return runs;
}

/** The object's bytes where they lie, not over the bus. @internal */
export function peekObject({ resource, bytes }: GpuBo, gpu: GpuDevice, memory: PhysicalMemory): Uint8Array {
  const all = new Uint8Array(bytes);
  for (const [index, { vram, page }] of pagesOf(resource).entries()) {
    all.set(vram ? gpu.vram.pageBytes(page) : memory.frameBytes(page), index * PAGE_SIZE);
  }
  return all;
}
