// X8664Walk: reads first-stage tables: the x86-64 page-table layout with 4 or 5 levels.
// Source followed: VT-d specification 9.7 (first-stage paging entries); Intel SDM volume 3A section 4.5.
// Requests without PASID count as user accesses: an entry without U/S denies them. Whatever is present may be read.
// Simplified: no execute checks, no extended accessed bit; accessed and dirty bits are not set by the walker.

import { physOfFrame } from '../addresses.ts';
import type { PhysicalMemory } from '../physical-memory.ts';
import {
  ACCESS_READ,
  ACCESS_WRITE,
  addressBitsBeyond,
  entryFrame,
  entryFrames,
  entryIndex,
  type PageWalk,
  type WalkFormat,
  WalkOutcome,
} from './walk-format.ts';

/**
 * What decides which bits of a first-stage entry are reserved.
 * @public
 */
export interface X8664WalkFeatures {
  /** Physical address bits of the platform, 32 to 52. */
  readonly hostAddressWidth: number;
  /** 1 GiB leaves are supported (CAP.FS1GP of VT-d). */
  readonly gigabytePages: boolean;
}

const PRESENT = 1;
const WRITABLE = 2;
const USER = 4;
const LARGE_PAGE = 0x80;
/** Address bits below a large leaf's own frame, by level; bit 12 is the memory type of a large page. */
const LEAF_ALIGNMENT = [0, 0x001fe000, 0x3fffe000];

/**
 * Walker of x86-64 tables as VT-d first stage and AMD v2 use them.
 * @public
 */
export class X8664Walk implements WalkFormat {
  readonly name = 'x86_64';
  readonly #highReserved: number;
  readonly #gigabytePages: boolean;

  constructor(features: X8664WalkFeatures) {
    this.#highReserved = addressBitsBeyond(features.hostAddressWidth);
    this.#gigabytePages = features.gigabytePages;
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
    for (let table = tableFrame, at = level, granted = permissions; ; at -= 1) {
      walk.visit(at, table, granted);
      if (!memory.isRam(physOfFrame(table), 4096)) return walk.stop(WalkOutcome.unreadableTable, granted);
      const words = memory.frameWords(table);
      const slot = entryIndex(iovaFrame, at) * 2;
      const low = words[slot] as number;
      const high = words[slot + 1] as number;
      if ((low & PRESENT) === 0) return walk.stop(WalkOutcome.notPresent, 0);
      const leaf = at === 0 || (low & LARGE_PAGE) !== 0;
      if (this.#reserved(low, high, at, leaf)) return walk.stop(WalkOutcome.reservedBit, granted);
      granted &= entryPermissions(low);
      if ((granted & needed) !== needed) return walk.stop(WalkOutcome.denied, granted);
      let target = entryFrame(low, high);
      // Bit 12 of a large leaf is its memory type, not address.
      if (leaf && at > 0 && (low & 0x1000) !== 0) target -= 1;
      if (leaf) return walk.finish(target, entryFrames(at), iovaFrame, granted);
      table = target;
    }
  }

  #reserved(low: number, high: number, level: number, leaf: boolean): boolean {
    if ((high & this.#highReserved) !== 0) return true;
    if (!leaf || level === 0) return false;
    if (level > 2 || (level === 2 && !this.#gigabytePages)) return true;
    return (low & (LEAF_ALIGNMENT[level] as number)) !== 0;
  }
}

const entryPermissions = (low: number): number => {
  if ((low & USER) === 0) return 0;
  return (low & WRITABLE) === 0 ? ACCESS_READ : ACCESS_READ | ACCESS_WRITE;
};
