// VtdSecondStageWalk: reads the second-stage (second-level) tables of VT-d: 3, 4 or 5 levels of 512 eight-byte entries.
// Source followed: VT-d specification 9.8 (second-stage paging entries) and 3.7 (second-stage translation).
// An entry without R and W is not present; permissions are ANDed over all levels; leaves at levels 0, 1 and 2.
// Simplified: execute permission, memory types and the hardware's accessed and dirty bits are left out.

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

/**
 * What decides which bits of a second-stage entry are reserved.
 * @public
 */
export interface VtdSecondStageFeatures {
  /** Physical address bits of the platform, 32 to 52. */
  readonly hostAddressWidth: number;
  /** ECAP.SC: leaves may carry SNP (bit 11). */
  readonly snoopControl: boolean;
  /** ECAP.DT: leaves may carry TM (bit 62). */
  readonly deviceTlb: boolean;
  /** CAP.SLLPS: bit 0 = 2 MiB leaves, bit 1 = 1 GiB leaves. */
  readonly largePages: number;
}

const LARGE_PAGE = 0x80;
const SNOOP = 0x800;
const TRANSIENT_MAPPING = 0x40000000; // bit 62, in the high word
/** Address bits below a large leaf's own frame, by level. */
const LEAF_ALIGNMENT = [0, 0x001ff000, 0x3ffff000];

/**
 * Walker of VT-d second-stage tables.
 * @public
 */
export class VtdSecondStageWalk implements WalkFormat {
  readonly name = 'vtdss';
  readonly #highReserved: number;
  readonly #leafLow: number;
  readonly #leafHigh: number;
  readonly #largePages: number;

  constructor(features: VtdSecondStageFeatures) {
    this.#highReserved = addressBitsBeyond(features.hostAddressWidth);
    this.#leafLow = features.snoopControl ? 0 : SNOOP;
    this.#leafHigh = this.#highReserved | (features.deviceTlb ? 0 : TRANSIENT_MAPPING);
    this.#largePages = features.largePages;
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
      if ((low & 3) === 0) return walk.stop(WalkOutcome.notPresent, 0);
      granted &= low;
      if ((granted & needed) !== needed) return walk.stop(WalkOutcome.denied, granted);
      const leaf = at === 0 || (low & LARGE_PAGE) !== 0;
      if (this.#reserved(low, high, at, leaf)) return walk.stop(WalkOutcome.reservedBit, granted);
      const target = entryFrame(low, high);
      if (leaf) return walk.finish(target, entryFrames(at), iovaFrame, granted);
      table = target;
    }
  }

  #reserved(low: number, high: number, level: number, leaf: boolean): boolean {
    if (!leaf) return ((low & SNOOP) | (high & (this.#highReserved | TRANSIENT_MAPPING))) !== 0;
    if (((low & this.#leafLow) | (high & this.#leafHigh)) !== 0) return true;
    if (level === 0) return false;
    if (level > 2 || ((this.#largePages >>> (level - 1)) & 1) === 0) return true;
    return (low & (LEAF_ALIGNMENT[level] as number)) !== 0;
  }
}
