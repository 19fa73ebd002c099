// An oracle for the DMA segments of a list: computes with exact 64-bit integers, entry by entry, from the rule alone:
// where each entry lies in the range, then which neighbours are one segment.
// Simplified: ordinary memory only.

import type { Entry } from './sg-machine.ts';

const PAGE = 4096n;
const U64 = 2n ** 64n - 1n;
const U32 = 2n ** 32n - 1n;

export interface PlacedEntry {
  /** Bytes from the start of the range to the entry's first page. */
  readonly at: bigint;
  /** Bytes mapped for it, padding included. */
  readonly mapped: bigint;
}

/** Where the entries lie, and the bytes of the whole range. */
export function placeEntries(
  entries: readonly Entry[],
  boundary: bigint,
): { placed: PlacedEntry[]; bytes: bigint } {
  const placed: PlacedEntry[] = [];
  let bytes = 0n;
  for (const [, offset, length] of entries) {
    const skip = BigInt(offset) % PAGE;
    const own = ((BigInt(length) + skip + PAGE - 1n) / PAGE) * PAGE;
    const toBoundary = (boundary - bytes + 1n) & boundary & U64;
    const before = placed.at(-1);
    if (before !== undefined && toBoundary > 0n && own > toBoundary) {
      placed[placed.length - 1] = { at: before.at, mapped: before.mapped + toBoundary };
      bytes += toBoundary;
    }
    placed.push({ at: bytes, mapped: own });
    bytes += own;
  }
  return { placed, bytes };
}

/** The segments, address and bytes, when the range starts at `iova`. */
export function expectedSegments(
  entries: readonly Entry[],
  iova: bigint,
  boundary: bigint,
  maxSegmentSize: number,
): [bigint, bigint][] {
  const segments: [bigint, bigint][] = [];
  const { placed } = placeEntries(entries, boundary);
  let open = false;
  for (const [index, [, offset, length]] of entries.entries()) {
    const place = placed[index] as PlacedEntry;
    const start = iova + place.at;
    const skip = BigInt(offset) % PAGE;
    const last = segments.at(-1);
    const room = last === undefined ? 0n : (BigInt(maxSegmentSize) - last[1]) & U32;
    if (open && last !== undefined && skip === 0n && (start & boundary) !== 0n && room >= BigInt(length)) {
      last[1] += BigInt(length);
    } else {
      segments.push([start + skip, BigInt(length)]);
    }
    open = skip + BigInt(length) === place.mapped;
  }
  return segments;
}
