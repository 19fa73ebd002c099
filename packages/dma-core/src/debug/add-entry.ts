// Adding an entry: it becomes findable, and its first cacheline is compared with those that devices write to already.
// Source followed: kernel/dma/debug.c (add_dma_entry). On x86-64, where DMA needs no cache alignment, an overlap is
// counted but not reported.
// Simplified: kmalloc memory never bounces, so bouncing suppresses no report.

import { cachelineOf, isCacheClean, L1_CACHE_BYTES, MAX_OVERLAP } from './active-cachelines.ts';
import type { DmaDebugEntry } from './debug-entry.ts';
import type { DmaDebug } from './dma-debug.ts';

/**
 * Takes `entry` in.
 * @internal
 * @kernel add_dma_entry
 */
export function addDmaEntry(debug: DmaDebug, entry: DmaDebugEntry): void {
  debug.entries.add(entry);
  const line = debug.cachelines.insert(entry);
  const data = { phys: entry.phys, address: entry.devAddr, size: entry.size, cacheline: cachelineOf(entry) };
  if (line === 'fresh') return;
  if (line === 'no memory') {
    debug.disabled = true;
    debug.report.warnOnce(entry.dev, 'dma-debug-cacheline-memory', { lines: debug.cachelines.count });
    return;
  }
  const { overlaps, firstIsClean } = line;
  const clean = isCacheClean(entry.attrs);
  if (!clean && overlaps > MAX_OVERLAP) {
    debug.report.warnOnce(entry.dev, 'dma-debug-cacheline-overflow', { ...data, overlaps });
  }
  const meant = entry.attrs.skipCpuSync === true || (clean && firstIsClean);
  if (!meant && debug.cacheAlignment >= L1_CACHE_BYTES) {
    debug.report.error(entry.dev, 'dma-debug-cacheline-overlap', { ...data, overlaps });
  }
}
