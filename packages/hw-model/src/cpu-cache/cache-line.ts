// CacheLine: 64 bytes of memory as the CPU knows them, and where a range of bytes begins and ends among lines.
// Source followed: Arm Architecture Reference Manual, data cache maintenance to the point of coherency.
// Simplified: one line size; a dirty line is written back whole, as caches without byte enables do.

import { addOffset, alignDown, byteDistance, type PhysAddr } from '../addresses.ts';

/**
 * Bytes of a line.
 * @public
 */
export const CACHE_LINE_BYTES = 64;

/**
 * A line that is held.
 * @internal
 */
export interface CacheLine {
  readonly bytes: Uint8Array;
  /** The CPU wrote what memory does not have yet. */
  dirty: boolean;
}

/**
 * Calls `visit` for each line that [address, address + bytes) touches: the line's address, the offset of the first byte
 * in it, and how many bytes of it are meant.
 */
export function forEachLine(
  address: PhysAddr,
  bytes: number,
  visit: (line: PhysAddr, offset: number, count: number, done: number) => void,
): void {
  for (let done = 0; done < bytes; ) {
    const at = addOffset(address, done);
    const line = alignDown(at, CACHE_LINE_BYTES);
    const offset = byteDistance(line, at);
    const count = Math.min(CACHE_LINE_BYTES - offset, bytes - done);
    visit(line, offset, count, done);
    done += count;
  }
}
