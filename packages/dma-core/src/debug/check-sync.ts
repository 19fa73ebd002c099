// Syncing: does a mapping hold the range, and does the direction allow it?
// Source followed: kernel/dma/debug.c (check_sync). A mapping for both directions passes without another look, the entry
// count of a list included.
// A range that is not found although mappings hold it (see the look-up) is the kernel's false report; nothing is added.
// The end of a range at DMA_MAPPING_ERROR wraps around 2^64, so that almost any mapping seems to hold it: Linux is silent.
// Simplified: none.

import { DMA_MAPPING_ERROR } from '../dma-mask.ts';
import type { DmaDebugEntry, DmaDebugRef } from './debug-entry.ts';
import type { DmaDebugRuleCode } from './debug-rule-codes.ts';
import type { DmaDebug } from './dma-debug.ts';
import { findContaining } from './entry-lookup.ts';
import { explainAddress } from './provenance.ts';

/**
 * Compares `ref` with the mapping it lies in.
 * @internal
 * @kernel check_sync
 */
export function checkSync(debug: DmaDebug, ref: DmaDebugRef, toCpu: boolean): void {
  const { dev, devAddr: address, size } = ref;
  const { entry, candidates } = findContaining(debug.entries, ref);
  if (entry === null) {
    debug.report.error(dev, 'dma-debug-sync-unknown', { address, size, toCpu, candidates });
    if (candidates === 0) explainAddress(debug, dev, address, size, 'sync');
    return;
  }
  for (const [rule, data] of differences(ref, entry, toCpu)) {
    debug.report.error(dev, rule, { address, size, mappedSize: entry.size, toCpu, ...data });
  }
  if (address === DMA_MAPPING_ERROR) explainAddress(debug, dev, address, size, 'sync');
}

type Difference = readonly [rule: DmaDebugRuleCode, data: Readonly<Record<string, unknown>>];

function* differences(ref: DmaDebugRef, entry: DmaDebugEntry, toCpu: boolean): Generator<Difference> {
  // Only a range that wraps around 2^64 can be held and yet be longer.
  if (ref.size > entry.size) yield ['dma-debug-sync-outside', { mappingAddress: entry.devAddr }];
  if (entry.direction === 'bidirectional') return;
  const directions = { mappedWith: entry.direction, syncedWith: ref.direction };
  if (ref.direction !== entry.direction) yield ['dma-debug-sync-direction', directions];
  if (toCpu && entry.direction !== 'from-device' && ref.direction !== 'to-device') {
    yield ['dma-debug-sync-read-only', directions];
  }
  if (!toCpu && entry.direction !== 'to-device' && ref.direction !== 'from-device') {
    yield ['dma-debug-sync-write-only', directions];
  }
  if (ref.type === 'scatter-gather' && ref.entryCount !== 0 && ref.entryCount !== entry.entryCount) {
    yield ['dma-debug-sync-entry-count', { mappedEntries: entry.entryCount, syncedEntries: ref.entryCount }];
  }
}
