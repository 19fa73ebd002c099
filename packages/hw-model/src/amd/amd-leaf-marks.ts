// Accessed and dirty bits: what a unit writes into the leaf of a host table that has translated a request.
// Source followed: AMD I/O Virtualization Technology specification 2.2.3, bits 5 (A) and 6 (D) of an entry.
// What is cached of a leaf that is not dirty grants no write: the first write walks again and finds the leaf to mark. A leaf
// that software has made clean is marked again only after what is cached of it has been invalidated.
// Simplified: only leaves are marked accessed, and of a leaf of several equal entries the one that the walk has read.

import { ACCESS_WRITE, entryIndex, type PageWalk } from '../iommu-unit/walk-format.ts';
import type { PhysicalMemory } from '../physical-memory.ts';
import type { AmdDeviceTranslation } from './amd-device-translation.ts';

const ACCESSED = 0x20;
const DIRTY = 0x40;

/**
 * Marks the leaf at which `walk` for `iovaFrame` ended accessed, and dirty for a write, as `device` asks for. Returns the
 * permissions to cache.
 * @internal
 */
export function markAmdLeaf(
  memory: PhysicalMemory,
  walk: PageWalk,
  iovaFrame: number,
  device: AmdDeviceTranslation,
  write: boolean,
): number {
  const { marksAccessed, marksDirty } = device;
  const { level, chainTable, permissions } = walk;
  const words = memory.frameWords(chainTable[level] as number);
  const slot = entryIndex(iovaFrame, level) * 2;
  const marks = (marksAccessed ? ACCESSED : 0) | (write && marksDirty ? DIRTY : 0);
  const entry = (words[slot] as number) | marks;
  words[slot] = entry;
  return marksDirty && (entry & DIRTY) === 0 ? permissions & ~ACCESS_WRITE : permissions;
}
