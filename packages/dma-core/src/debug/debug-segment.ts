// The checker's hooks around lists, entry by entry and segment by segment: who holds the list makes the loop.
// Source followed: kernel/dma/debug.c (debug_dma_map_sg, debug_dma_unmap_sg, debug_dma_sync_sg_for_*, check_sg_segment,
// get_nr_mapped_entries). Every DMA segment is an entry; its cacheline and its length limit are those of the list entry
// with the same number, which need not be the memory that the segment maps.
// Simplified: none.

import type { PhysAddr } from '@sgfree/hw-model';
import type { Device } from '../device.ts';
import { type DmaAttrs, NO_ATTRS } from '../dma-attrs.ts';
import type { DmaDataDirection } from '../dma-direction.ts';
import { addDmaEntry } from './add-entry.ts';
import { checkForIllegalArea, checkForStack } from './check-memory.ts';
import { checkSync } from './check-sync.ts';
import { checkUnmap } from './check-unmap.ts';
import type { DmaDebugRef } from './debug-entry.ts';
import { checkerOf, type DmaDebug } from './dma-debug.ts';
import { findExact } from './entry-lookup.ts';
import { explainAddress } from './provenance.ts';

/**
 * A DMA segment as a call names it.
 * @internal
 */
export interface DebugSegment {
  /** DMA address; -1 where an entry has none. */
  readonly address: number;
  /** Bytes of the segment. */
  readonly size: number;
  readonly direction: DmaDataDirection;
  /** Entries that the caller named. */
  readonly entryCount: number;
}

/**
 * Memory of one list entry of a list that was mapped.
 * @internal
 */
export function debugSgEntryMemory(dev: Device, phys: PhysAddr, length: number): void {
  const debug = checkerOf(dev);
  if (debug === null) return;
  checkForStack(debug, dev, phys);
  checkForIllegalArea(debug, dev, phys, length);
}

/**
 * A segment was mapped, one of `segmentCount`; `phys` and `length` are those of the list entry with the same number.
 * False: the checker has stopped.
 * @internal
 */
export function debugSgSegmentMapped(
  dev: Device,
  segment: DebugSegment,
  segmentCount: number,
  phys: PhysAddr,
  length: number,
  attrs: DmaAttrs,
): boolean {
  const debug = checkerOf(dev);
  const entry = debug?.newEntry(refOf(dev, segment, attrs, segmentCount, phys)) ?? null;
  if (debug === null || entry === null) return false;
  checkSgSegment(debug, dev, segment, length);
  addDmaEntry(debug, entry);
  return true;
}

/** @kernel check_sg_segment */
function checkSgSegment(debug: DmaDebug, dev: Device, segment: DebugSegment, length: number): void {
  const { maxSegmentSize: max, segmentBoundaryMask: boundary } = dev;
  const { address: start, size } = segment;
  if (length > max) debug.report.error(dev, 'dma-debug-segment-too-long', { length, max });
  const end = start + size - 1;
  // A mask of all ones is kept as 2^64, and no address reaches that far.
  const window = boundary < Number.MAX_SAFE_INTEGER ? boundary + 1 : boundary;
  if (Math.floor(start / window) !== Math.floor(end / window)) {
    debug.report.error(dev, 'dma-debug-segment-boundary', { start, end, boundary });
  }
}

/**
 * Segments of the list whose first segment is `segment`; 0: no such list is mapped. Does not count as a call.
 * @internal
 * @kernel get_nr_mapped_entries
 */
export function getNrMappedEntries(dev: Device, segment: DebugSegment): number {
  const { debug } = dev.platform;
  if (debug === null || debug.disabled) return 0;
  return findExact(debug.entries, refOf(dev, segment, NO_ATTRS)).entry?.segmentCount ?? 0;
}

/**
 * A segment is about to be unmapped.
 * @internal
 */
export function debugSgSegmentUnmapped(dev: Device, segment: DebugSegment, attrs: DmaAttrs): void {
  const debug = checkerOf(dev);
  if (debug !== null) checkUnmap(debug, refOf(dev, segment, attrs));
}

/**
 * A segment was synced.
 * @internal
 */
export function debugSgSegmentSynced(dev: Device, segment: DebugSegment, toCpu: boolean): void {
  const debug = checkerOf(dev);
  if (debug !== null) checkSync(debug, refOf(dev, segment, NO_ATTRS), toCpu);
}

/**
 * A list was synced that no mapping knows. Linux says nothing about it.
 * @internal
 */
export function debugSgSyncUnknown(dev: Device, segment: DebugSegment): void {
  const debug = checkerOf(dev);
  if (debug !== null) explainAddress(debug, dev, segment.address, segment.size, 'sync');
}

const refOf = (
  dev: Device,
  segment: DebugSegment,
  attrs: DmaAttrs,
  segmentCount = 0,
  phys = 0,
): DmaDebugRef => ({
  dev,
  devAddr: segment.address,
  size: segment.size,
  type: 'scatter-gather',
  direction: segment.direction,
  entryCount: segment.entryCount,
  segmentCount,
  phys,
  attrs,
});
