// AmdV1Walk: reads AMD's host (v1) page tables: 1 to 6 levels, each entry naming the level it leads to.
// Source followed: AMD I/O Virtualization Technology specification 2.2.3 (I/O page tables for host translations).
// A leaf has next level 0 (natural size) or 7 (a power of two written into its address as trailing ones); levels may be skipped.
// Simplified: the force-coherent bit is ignored; accessed and dirty bits are the unit's business.

import { physOfFrame } from '../addresses.ts';
import type { PhysicalMemory } from '../physical-memory.ts';
import {
  addressBitsBeyond,
  entryFrame,
  entryFrames,
  entryIndex,
  type PageWalk,
  type WalkFormat,
  WalkOutcome,
} from './walk-format.ts';

const PRESENT = 1;
const NEXT_LEVEL_SHIFT = 9;
const NATURAL_LEAF = 0;
const ENCODED_LEAF = 7;
/** IR is bit 61 and IW bit 62: bits 29 and 30 of the high word. */
const PERMISSION_SHIFT = 29;

/**
 * Pages of 4 KiB that a leaf with an encoded size covers: the trailing ones of its address field say it.
 * @internal
 */
export function amdV1EncodedFrames(addressField: number): number {
  let frames = 2;
  for (let rest = addressField; rest - Math.floor(rest / 2) * 2 === 1; rest = Math.floor(rest / 2))
    frames *= 2;
  return frames;
}

/**
 * Walker of AMD v1 tables.
 * @public
 */
export class AmdV1Walk implements WalkFormat {
  readonly name = 'amdv1';
  readonly #highReserved: number;

  /** `hostAddressWidth`: physical address bits of the platform, 32 to 52. */
  constructor(hostAddressWidth: number) {
    this.#highReserved = addressBitsBeyond(hostAddressWidth);
  }

  walk(
    memory: PhysicalMemory,
    tableFrame: number,
    level: number,
    iovaFrame: number,
    permissions: number,
    needed: number,
    walk: PageWalk,
  ): WalkOutcome {
    walk.begin(level);
    for (let table = tableFrame, at = level, granted = permissions; ; ) {
      walk.visit(at, table, granted);
      if (!memory.isRam(physOfFrame(table), 4096)) return walk.stop(WalkOutcome.unreadableTable, granted);
      const words = memory.frameWords(table);
      const slot = entryIndex(iovaFrame, at) * 2;
      const low = words[slot] as number;
      const high = words[slot + 1] as number;
      if ((low & PRESENT) === 0) return walk.stop(WalkOutcome.notPresent, 0);
      const next = (low >>> NEXT_LEVEL_SHIFT) & 7;
      const field = entryFrame(low, high);
      granted &= high >>> PERMISSION_SHIFT;
      if ((high & this.#highReserved) !== 0) {
        return walk.stop(WalkOutcome.reservedBit, granted);
      }
      if ((granted & needed) !== needed) return walk.stop(WalkOutcome.denied, granted);
      if (next === NATURAL_LEAF || next === ENCODED_LEAF) {
        return finishLeaf(walk, field, at, next, iovaFrame, granted);
      }
      if (next > at || skippedBits(iovaFrame, next, at)) return walk.stop(WalkOutcome.reservedBit, granted);
      table = field;
      at = next - 1;
    }
  }
}

function finishLeaf(
  walk: PageWalk,
  field: number,
  level: number,
  next: number,
  iovaFrame: number,
  granted: number,
): WalkOutcome {
  const natural = entryFrames(level);
  const frames = next === NATURAL_LEAF ? natural : amdV1EncodedFrames(field);
  const base = next === NATURAL_LEAF ? field : Math.floor(field / frames) * frames;
  // A size outside this level's reach, or a natural leaf that is not aligned, is an encoding the format reserves.
  const reserved = frames < natural || frames >= natural * 512 || Math.floor(base / frames) * frames !== base;
  if (reserved) return walk.stop(WalkOutcome.reservedBit, granted);
  return walk.finish(base, frames, iovaFrame, granted);
}

/** An entry of `level` that leads to next level `next` skips the address bits between: they must be zero. */
const skippedBits = (iovaFrame: number, next: number, level: number): boolean => {
  const below = entryFrames(level);
  return Math.floor((iovaFrame - Math.floor(iovaFrame / below) * below) / entryFrames(next)) !== 0;
};
