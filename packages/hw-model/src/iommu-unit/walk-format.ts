// WalkFormat: how one kind of I/O page table is read by hardware, and PageWalk: what the last walk found.
// Source followed: VT-d specification chapter 9 (paging), AMD I/O virtualization specification 2.2.3 (host page tables).
// A walk starts at any table of the tree, so that a paging-structure cache can let it skip the upper levels.
// Simplified: tables are read as the CPU last wrote them (no CPU cache between), one entry at a time.

import type { PhysicalMemory } from '../physical-memory.ts';

/**
 * The request may read.
 * @public
 */
export const ACCESS_READ = 1;

/**
 * The request may write.
 * @public
 */
export const ACCESS_WRITE = 2;

/**
 * How a walk ended. Everything but `ok` ends in a fault.
 * @public
 */
export const WalkOutcome = {
  ok: 0,
  /** An entry on the way maps nothing. */
  notPresent: 1,
  /** An entry on the way lacks a permission that the walk was asked for. */
  denied: 2,
  /** An entry has a bit set that the format reserves. */
  reservedBit: 3,
  /** A table lies where no memory answers. */
  unreadableTable: 4,
} as const;

/**
 * One value of the table {@link (WalkOutcome:variable)}.
 * @public
 */
export type WalkOutcome = (typeof WalkOutcome)[keyof typeof WalkOutcome];

/** Levels a chain can hold: 0 (tables of 4 KiB leaves) to 5 (top of a 6-level AMD table). */
const CHAIN_LEVELS = 6;

/**
 * The registers a walk leaves behind; one object serves every walk of a unit, so that no walk allocates.
 * @public
 */
export class PageWalk {
  outcome: WalkOutcome = WalkOutcome.notPresent;
  /** Level of the entry that ended the walk: 0 = 4 KiB entries, 1 = 2 MiB, 2 = 1 GiB and so on. */
  level = 0;
  /** First physical page frame of the leaf. */
  leafFrame = 0;
  /** Pages of 4 KiB the leaf covers: a power of two. */
  leafFrames = 1;
  /** Physical page frame the walked address lies in. */
  frame = 0;
  /** {@link ACCESS_READ} and {@link ACCESS_WRITE}, ANDed over the way. */
  permissions = 0;
  /** Entries read from memory by this walk. */
  tableReads = 0;
  /** Top level of the chain of this walk: levels `level`..`chainTop` are filled. */
  chainTop = 0;
  /** Page frame of the table of each level that this walk visited, -1 = level not visited. */
  readonly chainTable: Float64Array = new Float64Array(CHAIN_LEVELS);
  /** Permissions accumulated before reading the table of each level. */
  readonly chainPermissions: Uint8Array = new Uint8Array(CHAIN_LEVELS);

  /** Prepares for a walk that begins with the table of `level`. */
  begin(level: number): void {
    this.chainTop = level;
    this.chainTable.fill(-1);
    this.tableReads = 0;
    this.level = level;
  }

  /** Notes the visit of a table; see {@link PageWalk.chainTable}. */
  visit(level: number, tableFrame: number, permissions: number): void {
    this.level = level;
    this.chainTable[level] = tableFrame;
    this.chainPermissions[level] = permissions;
    this.tableReads += 1;
  }

  /** Ends the walk without a translation. */
  stop(outcome: WalkOutcome, permissions: number): WalkOutcome {
    this.outcome = outcome;
    this.permissions = permissions;
    return outcome;
  }

  /** Ends the walk at a leaf of `leafFrames` pages starting at `leafFrame`. */
  finish(leafFrame: number, leafFrames: number, iovaFrame: number, permissions: number): WalkOutcome {
    this.outcome = WalkOutcome.ok;
    this.leafFrame = leafFrame;
    this.leafFrames = leafFrames;
    this.frame = leafFrame + (iovaFrame - Math.floor(iovaFrame / leafFrames) * leafFrames);
    this.permissions = permissions;
    return WalkOutcome.ok;
  }
}

/**
 * One page-table format, as the hardware that walks it knows it.
 * @public
 */
export interface WalkFormat {
  readonly name: string;
  /**
   * Walks for `iovaFrame` (IOVA in pages of 4 KiB) from the table in page frame `tableFrame`, whose
   * entries are of `level`, with the permissions already granted on the way there. `needed` holds the permissions that must be
   * granted at each entry (0 = look only). The result is left in `walk`; how it ended is returned too.
   */
  walk(
    memory: PhysicalMemory,
    tableFrame: number,
    level: number,
    iovaFrame: number,
    permissions: number,
    needed: number,
    walk: PageWalk,
  ): WalkOutcome;
}

/** Pages of 4 KiB that one entry of each level spans: 512 ** level. */
const ENTRY_FRAMES = Float64Array.from({ length: CHAIN_LEVELS + 1 }, (_, level) => 512 ** level);

/**
 * Pages of 4 KiB that one entry of a table of `level` spans: 1, 512, 262144, ...
 * @internal
 */
export const entryFrames = (level: number): number => ENTRY_FRAMES[level] as number;

/**
 * Index (0 to 511) of the entry for `iovaFrame` in a table of `level`.
 * @internal
 */
// `& 511` on a double wraps modulo 2^32 first (ToInt32), which keeps the low nine bits exact.
export const entryIndex = (iovaFrame: number, level: number): number =>
  Math.floor(iovaFrame / entryFrames(level)) & 511;

/**
 * Page frame in bits 51:12 of an entry given as two words.
 * @internal
 */
export const entryFrame = (low: number, high: number): number => (high & 0xfffff) * 0x100000 + (low >>> 12);

/**
 * Mask for the high word of an entry: address bits 51:32 that lie beyond a host address width of `bits` (32 to 52).
 * @internal
 */
export const addressBitsBeyond = (bits: number): number =>
  bits >= 52 ? 0 : 0x100000 - 2 ** Math.max(0, bits - 32);
