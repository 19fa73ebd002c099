// Unmapping and freeing: is there such a mapping, and was it made as it is now taken back?
// Source followed: kernel/dma/debug.c (check_unmap, debug_dma_mapping_error). Whatever differs is reported and the entry
// goes all the same. A call that finds no entry asks dma_mapping_error itself, which marks an entry as checked.
// Simplified: none.

import type { Device } from '../device.ts';
import { DMA_MAPPING_ERROR } from '../dma-mask.ts';
import { attrsDisagree, attrsMayDisagree, bothAttrs } from './attr-agreement.ts';
import type { DmaDebugEntry, DmaDebugRef } from './debug-entry.ts';
import type { DmaDebugRuleCode } from './debug-rule-codes.ts';
import type { DmaDebug } from './dma-debug.ts';
import { findExact } from './entry-lookup.ts';
import { explainAddress } from './provenance.ts';

/**
 * Compares `ref` with the mapping it ends, and forgets that.
 * @internal
 * @kernel check_unmap
 */
export function checkUnmap(debug: DmaDebug, ref: DmaDebugRef): void {
  const { entry, candidates } = findExact(debug.entries, ref);
  if (entry === null) {
    reportUnknown(debug, ref, candidates);
    return;
  }
  for (const [rule, data] of differences(ref, entry)) {
    debug.report.error(ref.dev, rule, { address: ref.devAddr, size: ref.size, ...data });
  }
  if (debug.attrAgreement === 'strict' && attrsMayDisagree(entry.attrs, ref.attrs)) {
    const data = { address: ref.devAddr, size: ref.size, api: entry.type };
    debug.report.shadow(ref.dev, 'dma-shadow-attrs-differ', {
      ...data,
      ...bothAttrs(entry.attrs, ref.attrs),
    });
  }
  debug.dropEntry(entry);
}

function reportUnknown(debug: DmaDebug, ref: DmaDebugRef, candidates: number): void {
  const { dev, devAddr: address, size } = ref;
  if (address === DMA_MAPPING_ERROR) {
    debug.report.error(dev, 'dma-debug-free-invalid', { size });
    return;
  }
  markMapErrorChecked(debug, dev, address);
  debug.report.error(dev, 'dma-debug-free-unknown', { address, size, candidates });
  if (candidates === 0) explainAddress(debug, dev, address, size, 'unmap');
}

/**
 * Marks the first entry of `dev` at `devAddr` that nobody asked `dma_mapping_error` about.
 * @internal
 */
export function markMapErrorChecked(debug: DmaDebug, dev: Device, devAddr: number): void {
  for (const entry of debug.entries.bucket(devAddr)) {
    if (entry.dev !== dev || entry.devAddr !== devAddr || entry.mapErrorCheck !== 'not checked') continue;
    entry.mapErrorCheck = 'checked';
    return;
  }
}

type Difference = readonly [rule: DmaDebugRuleCode, data: Readonly<Record<string, unknown>>];

function* differences(ref: DmaDebugRef, entry: DmaDebugEntry): Generator<Difference> {
  if (ref.size !== entry.size) {
    yield ['dma-debug-free-size', { mappedSize: entry.size, unmappedSize: ref.size }];
  }
  yield* functionDifference(ref, entry);
  if (ref.type === 'scatter-gather' && ref.entryCount !== 0 && ref.entryCount !== entry.entryCount) {
    const data = { mappedEntries: entry.entryCount, unmappedEntries: ref.entryCount };
    yield ['dma-debug-free-entry-count', data];
  }
  if (ref.direction !== entry.direction) {
    yield ['dma-debug-free-direction', { mappedWith: entry.direction, unmappedWith: ref.direction }];
  }
  if (entry.mapErrorCheck === 'not checked') {
    yield ['dma-debug-unchecked-map-error', { mappedAs: entry.type }];
  }
  if (attrsDisagree(entry.attrs, ref.attrs)) {
    yield ['dma-debug-free-attrs', bothAttrs(entry.attrs, ref.attrs)];
  }
}

function* functionDifference(ref: DmaDebugRef, entry: DmaDebugEntry): Generator<Difference> {
  if (ref.type !== entry.type) {
    yield ['dma-debug-free-function', { mappedAs: entry.type, unmappedAs: ref.type }];
  } else if ((entry.type === 'coherent' || entry.type === 'noncoherent') && ref.phys !== entry.phys) {
    yield ['dma-debug-free-cpu-address', { cpuAllocAddress: entry.phys, cpuFreeAddress: ref.phys }];
  }
}
