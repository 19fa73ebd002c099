// CpuCacheMaintenance: looks after a write-back cache of the CPU around the DMA of devices that do not snoop it.
// Source followed: arch/arm64/mm/dma-mapping.c (arch_sync_dma_for_device cleans whatever the direction,
// arch_sync_dma_for_cpu invalidates but for TO_DEVICE, arch_dma_prep_coherent) and arch/arm64/mm/cache.S (an invalidation
// cleans the lines of which the range holds only a part); arch_sync_dma_flush is the barrier.
// Other processors invalidate before a device writes: that is a policy here. A dirty line at the edge of a buffer, which
// a neighbour made, costs bytes either way: cleaned, its stale half overwrites what the device wrote; dropped, the
// neighbour's bytes are gone. Only buffers of whole lines are safe.
// Simplified: direction `none` asks for nothing.

import type { CpuCache, CpuView, PartialLines, PhysAddr } from '@sgfree/hw-model';
import type { CacheMaintenance } from './cache-maintenance.ts';
import type { DmaDataDirection } from './dma-direction.ts';

/**
 * Where processors differ.
 * @public
 */
export interface CpuCachePolicy {
  /** What is done for a buffer that the device is going to write: arm64 cleans, others invalidate. Default `clean`. */
  readonly fromDevice?: 'clean' | 'invalidate';
  /** What an invalidation does to lines of which it holds a part; default `clean`, as arm64. */
  readonly partialLines?: PartialLines;
}

/**
 * Cache maintenance on real lines.
 * @public
 */
export class CpuCacheMaintenance implements CacheMaintenance {
  readonly #cache: CpuCache;
  readonly #fromDevice: 'clean' | 'invalidate';
  readonly #partial: PartialLines;

  constructor(cache: CpuCache, { fromDevice = 'clean', partialLines = 'clean' }: CpuCachePolicy = {}) {
    this.#cache = cache;
    this.#fromDevice = fromDevice;
    this.#partial = partialLines;
  }

  get cpuView(): CpuView {
    return this.#cache;
  }

  /**
   * Before the device's turn: what the CPU stored is sent to memory.
   */
  syncForDevice(phys: PhysAddr, size: number, dir: DmaDataDirection): void {
    if (dir === 'none') return;
    if (dir === 'from-device' && this.#fromDevice === 'invalidate') {
      this.#cache.invalidate(phys, size, this.#partial);
    } else this.#cache.clean(phys, size);
  }

  /**
   * Before the CPU's turn: what it held of the buffer is forgotten.
   */
  syncForCpu(phys: PhysAddr, size: number, dir: DmaDataDirection): void {
    if (dir === 'from-device' || dir === 'bidirectional') this.#cache.invalidate(phys, size, this.#partial);
  }

  /**
   * Waits until what was cleaned is in memory.
   */
  flush(): void {
    this.#cache.barrier();
  }

  /**
   * Zeroes pages through the cache and takes them out of it.
   */
  prepareCoherent(phys: PhysAddr, size: number): void {
    this.#cache.write(phys, new Uint8Array(size));
    this.#cache.cleanInvalidate(phys, size);
    this.#cache.barrier();
  }
}
