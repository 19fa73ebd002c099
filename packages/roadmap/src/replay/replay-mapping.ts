// ReplayMapping: a mapping of the trace in the words of the DMA API, made once and mapped by every run.
// Source followed: the arguments of dma_map_phys, dma_map_sg, dma_alloc_attrs and dma_iova_try_alloc.
// Simplified: one entry of a scatterlist is at most 2 GiB, which its 32-bit length holds with padding.

import type { DmaAttrs, DmaDataDirection } from '@sgfree/dma-core';
import { offsetWithin, PAGE_SIZE } from '@sgfree/hw-model';
import type { TracedMapping } from '@sgfree/trace';
import { directionOfTrace } from './trace-words.ts';

/** One mapping to be replayed. */
export interface ReplayMapping {
  readonly kind: TracedMapping['kind'];
  /** Index that no other live mapping has. */
  readonly slot: number;
  /** Index of its device. */
  readonly device: number;
  /** Index of the CPU that maps. */
  readonly cpu: number;
  readonly direction: DmaDataDirection;
  readonly attrs: DmaAttrs;
  /** Physical ranges in order of DMA addresses. */
  readonly phys: readonly number[];
  readonly bytes: readonly number[];
  /** Sum of the ranges. */
  readonly totalBytes: number;
  /** Bytes of I/O address space that the ranges take in whole pages. */
  readonly spaceBytes: number;
  readonly traced: TracedMapping;
}

/** Longest entry of a scatterlist in bytes; two of them end on the segment boundary that PCI devices have. */
export const LONGEST_ENTRY: number = 2 ** 31;

/**
 * Makes a replayable mapping of a traced one that nothing refuses; `phys` are its pieces' places, `attrs` its
 * attributes, read. Coherent
 * memory is allocated in whole pages.
 */
export function replayMapping(
  traced: TracedMapping,
  place: { readonly slot: number; readonly device: number; readonly cpu: number },
  phys: readonly number[],
  attrs: DmaAttrs,
): ReplayMapping {
  const bytes = traced.kind === 'coherent' ? inPages(traced.pieceBytes) : traced.pieceBytes;
  let totalBytes = 0;
  let spaceBytes = 0;
  for (let piece = 0; piece < phys.length; piece += 1) {
    const length = bytes[piece] as number;
    totalBytes += length;
    spaceBytes += wholePages(phys[piece] as number, length);
  }
  return {
    kind: traced.kind,
    slot: place.slot,
    device: place.device,
    cpu: place.cpu,
    direction: directionOfTrace(traced.direction),
    attrs,
    phys,
    bytes,
    totalBytes,
    spaceBytes,
    traced,
  };
}

const inPages = (pieces: readonly number[]): readonly number[] =>
  pieces.map((bytes) => Math.ceil(bytes / PAGE_SIZE) * PAGE_SIZE);

function wholePages(phys: number, bytes: number): number {
  return Math.ceil((offsetWithin(phys, PAGE_SIZE) + bytes) / PAGE_SIZE) * PAGE_SIZE;
}
