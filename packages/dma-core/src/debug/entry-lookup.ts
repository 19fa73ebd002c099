// Looking an entry up: an exact start address for unmapping, a range that holds the named one for syncing.
// Source followed: kernel/dma/debug.c (__hash_bucket_find, bucket_find_exact, bucket_find_contain).
// The same address may be mapped more than once, so several entries can match. Only one that agrees in size, type,
// direction and entry count is then taken; without such a one nothing is found. Single syncs carry a type that no entry
// has, so that two candidates in one bucket always mean "not found": a false report, kept.
// Simplified: none.

import { type AddressHash, wrappedEnd, wraps } from './address-hash.ts';
import type { DmaDebugEntry, DmaDebugRef } from './debug-entry.ts';

/**
 * What a look-up found.
 * @internal
 */
export interface FoundEntry {
  readonly entry: DmaDebugEntry | null;
  /** Entries that matched by address; more than one and no entry: none of them agreed in all four points. */
  readonly candidates: number;
}

type Match = (ref: DmaDebugRef, entry: DmaDebugEntry) => boolean;

const startsThere: Match = (ref, entry) => entry.devAddr === ref.devAddr && entry.dev === ref.dev;

const contains: Match = (ref, entry) =>
  entry.dev === ref.dev &&
  (entry.devAddr <= ref.devAddr || ref.devAddr < 0) &&
  wrappedEnd(entry.devAddr, entry.size) >= wrappedEnd(ref.devAddr, ref.size);

const agrees = (ref: DmaDebugRef, entry: DmaDebugEntry): boolean =>
  entry.size === ref.size &&
  entry.type === ref.type &&
  entry.direction === ref.direction &&
  entry.entryCount === ref.entryCount;

function bestFit(bucket: readonly DmaDebugEntry[], ref: DmaDebugRef, match: Match): FoundEntry {
  let candidates = 0;
  let only: DmaDebugEntry | null = null;
  for (const entry of bucket) {
    if (!match(ref, entry)) continue;
    if (agrees(ref, entry)) return { entry, candidates: 1 };
    candidates += 1;
    only = entry;
  }
  return { entry: candidates === 1 ? only : null, candidates };
}

/**
 * The entry that starts at `ref.devAddr`.
 * @internal
 */
export const findExact = (entries: AddressHash<DmaDebugEntry>, ref: DmaDebugRef): FoundEntry =>
  bestFit(entries.bucket(ref.devAddr), ref, startsThere);

/**
 * The entry that holds all of `ref`, from the nearest bucket that has exactly one or one that agrees.
 * @internal
 */
export function findContaining(entries: AddressHash<DmaDebugEntry>, ref: DmaDebugRef): FoundEntry {
  let candidates = 0;
  for (const bucket of entries.bucketsBackFrom(ref.devAddr, wraps(ref.devAddr, ref.size))) {
    const found = bestFit(bucket, ref, contains);
    if (found.entry !== null) return found;
    candidates += found.candidates;
  }
  return { entry: null, candidates };
}
