// PageTable: the page table of one IOMMU domain, written into simulated memory exactly as Linux writes it.
// Source followed: drivers/iommu/generic_pt/iommu_pt.h (map_range, unmap_range, iova_to_phys, deinit).
// Addresses are a page frame and an offset in it, so that spaces of 57 and 64 bits stay exact.
// Simplified: one caller at a time; no dirty tracking; a length that is no multiple of the smallest page is refused.

import { InternalError, type PhysicalMemory } from '@sgfree/hw-model';
import { Errno, type FrameAllocator, failure, type Outcome, success } from '@sgfree/mm';
import { IOMMU_READ, IOMMU_WRITE } from '../domain/iommu-prot.ts';
import { FRAME_LIMIT, orderFrames } from './frame-bits.ts';
import { IotlbGather } from './iotlb-gather.ts';
import { type LeafVisitor, visitTreeLeaves } from './leaf-visit.ts';
import type { LinuxQuirks } from './linux-quirks.ts';
import { MapWalk } from './map-walk.ts';
import { PageSizeChoice } from './page-size-choice.ts';
import { EntryKind, type PageTableFormat } from './page-table-format.ts';
import { collectTables } from './subtree.ts';
import type { TableMemory } from './table-memory.ts';
import { TableTree } from './table-tree.ts';
import { UnmapWalk } from './unmap-walk.ts';

const PAGE_SIZE = 4096;
const PAGE_SHIFT = 12;
const LEVEL_ORDER = 9;
const DYNAMIC_TOP_START = 2;

/**
 * What a page table is made of.
 * @public
 */
export interface PageTableOptions {
  readonly format: PageTableFormat;
  readonly memory: PhysicalMemory;
  /** The CPU's side of table pages where the walker does not see its stores; `memory` itself when absent. */
  readonly tableMemory?: TableMemory | null;
  /** Where table pages come from. */
  readonly frames: FrameAllocator;
  /** Address bits, a sign bit included: 13 to 64. */
  readonly vaBits: number;
  /** Bits of the largest output address; 52 when absent. */
  readonly oaBits?: number;
  /** Level of the first top table (0 = a table of 4 KiB leaves); what `vaBits` needs when absent, at most 2 if it can grow. */
  readonly topLevel?: number;
  /** Page sizes in use, one bit each; all that the format offers when absent. */
  readonly pgsizeBitmap?: number;
  /** Kernel behaviours that are mended otherwise; none when absent. */
  readonly linuxQuirks?: LinuxQuirks;
}

/**
 * A page table and the calls that change it.
 * @public
 */
export class PageTable {
  readonly format: PageTableFormat;
  readonly vaBits: number;
  readonly oaBits: number;
  /** Bytes installed by the last {@link PageTable.mapRange}, before a failure if it failed. */
  mappedBytes = 0;
  /** Flushes what a gather holds and frees its tables; the domain puts its own in. */
  iotlbSync: (gather: IotlbGather) => void;
  /** Called after the top table has changed, so that the device tables can follow. */
  topChanged: (() => void) | null = null;
  readonly #tree: TableTree;
  readonly #sizes: PageSizeChoice;
  readonly #mapWalk: MapWalk;
  readonly #unmapWalk: UnmapWalk;
  readonly #mapGather = new IotlbGather();
  readonly #outputFrames: number;
  readonly #dynamicTop: boolean;
  readonly #noGaps: boolean;
  readonly #oddLengthEndless: boolean;

  /** Throws {@link @sgfree/hw-model#InternalError} when no frame is left for the top table; {@link PageTable.open} answers instead. */
  constructor(options: PageTableOptions, rootFrame: number = options.frames.alloc()) {
    const { format, memory, frames, vaBits } = options;
    const features = format.features;
    this.format = format;
    this.vaBits = vaBits;
    this.oaBits = options.oaBits ?? 52;
    this.#outputFrames = 2 ** (this.oaBits - PAGE_SHIFT);
    this.#dynamicTop = features.dynamicTop === true;
    this.#noGaps = features.flushRangeNoGaps === true;
    this.#oddLengthEndless = options.linuxQuirks?.mapOddLengthEndless === true;
    if (rootFrame < 0) throw new InternalError('no page frame for a top table');
    const topLevel = options.topLevel ?? startLevel(vaBits, this.#dynamicTop);
    this.#tree = new TableTree(format, memory, frames, vaBits, topLevel, rootFrame, options.tableMemory);
    this.#sizes = new PageSizeChoice(options.pgsizeBitmap ?? format.pgsizeBitmap(vaBits));
    const gatherRange = this.#gatherRange.bind(this);
    this.#mapWalk = new MapWalk(this.#tree, this.#mapGather, gatherRange);
    this.#unmapWalk = new UnmapWalk(this.#tree);
    this.iotlbSync = (gather) => this.releaseTables(gather);
  }

  /** A new table, or -ENOMEM. */
  static open(options: PageTableOptions): Outcome<PageTable> {
    const rootFrame = options.frames.alloc();
    return rootFrame < 0 ? failure(Errno.ENOMEM) : success(new PageTable(options, rootFrame));
  }

  /** Page frame of the top table. */
  get rootFrame(): number {
    return this.#tree.rootFrame;
  }

  /** Levels of tables: one more than the level of the top. */
  get levels(): number {
    return this.#tree.topLevel + 1;
  }

  /** Times the top has grown. */
  get topChanges(): number {
    return this.#tree.topChanges;
  }

  /** Page sizes in use, one bit each (`pgsize_bitmap`). */
  get pgsizeBitmap(): number {
    return this.#sizes.bitmap;
  }

  /** Live table pages by level of their entries, 0 to 5, the top included. */
  get tablesPerLevel(): readonly number[] {
    return Array.from(this.#tree.tablesPerLevel);
  }

  /** Live table pages, the top included. */
  get liveTables(): number {
    return this.#tree.tablesPerLevel.reduce((sum, tables) => sum + tables, 0);
  }

  /** Leaf entries of 8 bytes written since the beginning. */
  get entriesWritten(): number {
    return this.#mapWalk.entriesWritten;
  }

  /** The same by level: of 4 KiB leaves (level 0) up to level 5. */
  get entriesWrittenByLevel(): readonly number[] {
    const [, ...large] = this.#mapWalk.largeEntries;
    return [large.reduce((left, entries) => left - entries, this.entriesWritten), ...large];
  }

  /** Leaf entries of 8 bytes cleared since the beginning. */
  get entriesCleared(): number {
    return this.#unmapWalk.entriesCleared;
  }

  /** Leaf entries of 8 bytes that are there now. */
  get liveLeafEntries(): number {
    return this.entriesWritten - this.entriesCleared;
  }

  /**
   * Maps `bytes` bytes. Returns 0 or, in the order of the tests: -EINVAL without permission, -ERANGE for an output address
   * that is too wide, -EINVAL for a permission the format refuses or for no bytes, -EOVERFLOW past 2^64, -ENXIO when no page
   * size fits, -ERANGE outside the address width, -EADDRINUSE, -ENOMEM. What was mapped before a failure stays mapped.
   */
  mapRange(
    iovaFrame: number,
    iovaOffset: number,
    physFrame: number,
    physOffset: number,
    bytes: number,
    prot: number,
  ): number {
    this.mappedBytes = 0;
    if ((prot & (IOMMU_READ | IOMMU_WRITE)) === 0) return -Errno.EINVAL;
    if (physFrame >= this.#outputFrames) return -Errno.ERANGE;
    if (!this.format.accepts(prot) || bytes === 0) return -Errno.EINVAL;
    if (bytes === PAGE_SIZE) return this.#mapPage(iovaFrame, iovaOffset, physFrame, physOffset, prot);
    const last = lastFrame(iovaFrame, iovaOffset, bytes);
    if (last >= FRAME_LIMIT) return -Errno.EOVERFLOW;
    if (iovaOffset !== 0 || physOffset !== 0) return -Errno.ENXIO;
    const pages = Math.floor(bytes / PAGE_SIZE);
    const order = this.#sizes.best(iovaFrame, physFrame, pages);
    if (order < 0) return -Errno.ENXIO;
    // map-odd-length-endless: Linux does not look, and takes tables for ever.
    const odd = pages * PAGE_SIZE !== bytes;
    if (odd && !this.#oddLengthEndless) return -Errno.EINVAL;
    const refused = this.#makeRoom(iovaFrame, last, order);
    if (refused !== 0) return refused;
    const errno = this.#mapRuns(iovaFrame, physFrame, pages, order, prot);
    this.mappedBytes = this.#mapWalk.mapped * PAGE_SIZE;
    if (this.#mapGather.freelist.length > 0) this.iotlbSync(this.#mapGather);
    return odd && errno === 0 ? this.#takeTablesForEver() : errno;
  }

  /**
   * Unmaps from an address upwards and returns the bytes unmapped: fewer than asked when it meets a hole, none when it
   * starts inside a larger page, more when it ends inside one. The range and the freed tables go to `gather`.
   */
  unmapRange(iovaFrame: number, iovaOffset: number, bytes: number, gather: IotlbGather): number {
    if (bytes === 0) return 0;
    const last = lastFrame(iovaFrame, iovaOffset, bytes);
    if (last >= FRAME_LIMIT || !this.#tree.holds(iovaFrame, last)) return 0;
    const walk = this.#unmapWalk;
    const freed = this.#freed;
    // An address inside a page starts inside a leaf, whatever its size.
    if (iovaOffset !== 0) walk.unmapped = 0;
    else if (bytes === PAGE_SIZE) walk.page(iovaFrame, freed);
    else walk.run(iovaFrame, last, lastCovered(last, bytes), freed);
    const unmapped = walk.unmapped * PAGE_SIZE;
    this.#gatherRange(gather, iovaFrame, iovaOffset, unmapped);
    if (freed.length > 0) moveTables(freed, gather);
    return unmapped;
  }

  /** Physical page frame behind an address frame, or -1 when it is not mapped. */
  physOf(iovaFrame: number): number {
    const tree = this.#tree;
    if (!tree.holds(iovaFrame, iovaFrame)) return -1;
    let words = tree.rootWords;
    for (let level = tree.topLevel; ; level -= 1) {
      const slot = tree.slotOf(iovaFrame, level);
      const low = words[slot] as number;
      const high = words[slot + 1] as number;
      const below = level > 0 ? tree.child(low, high, level) : undefined;
      if (below === undefined) return this.#leafTarget(low, high, level, iovaFrame);
      words = below;
    }
  }

  /** Visits all leaves ascending, the lower half of a sign-extended space before the upper one. */
  visitLeaves(visit: LeafVisitor): void {
    const { span } = this.#tree;
    const halves = this.format.features.signExtend === true;
    visitTreeLeaves(this.#tree, 0, (halves ? span / 2 : span) - 1, visit);
    if (halves) visitTreeLeaves(this.#tree, FRAME_LIMIT - span / 2, FRAME_LIMIT - 1, visit);
  }

  /**
   * Visits the leaves that overlap frames `first` to `last`, as far as the top table reaches. A range that runs on from
   * the lower half of a sign-extended space is followed in a straight line.
   */
  visitLeavesIn(first: number, last: number, visit: LeafVisitor): void {
    const { span } = this.#tree;
    const end = first < span ? Math.min(last, span - 1) : last;
    if (first <= end && (first < span || this.#tree.holds(first, end))) {
      visitTreeLeaves(this.#tree, first, end, visit);
    }
  }

  /** Gives the table pages of a gather back and empties it, without a flush. */
  releaseTables(gather: IotlbGather): void {
    if (gather.freelist.length > 0) this.freeTables(gather.freelist);
    gather.reset();
  }

  /** Gives the pages of tables back that an unmap took out, once the hardware cannot walk them any more. */
  freeTables(frames: readonly number[]): void {
    for (const frame of frames) this.#tree.frames.free(frame);
  }

  /** Frees every table page; the table must not be used afterwards. */
  destroy(): void {
    const frames: number[] = [];
    collectTables(this.#tree, this.#tree.rootWords, this.#tree.topLevel, frames);
    frames.push(this.#tree.rootFrame);
    this.#tree.noteGone(this.#tree.topLevel);
    for (const frame of frames) this.#tree.frames.free(frame);
  }

  readonly #freed: number[] = [];

  /** A single page of 4 KiB: always on offer, whatever the page sizes in use. */
  #mapPage(
    iovaFrame: number,
    iovaOffset: number,
    physFrame: number,
    physOffset: number,
    prot: number,
  ): number {
    const last = iovaOffset === 0 ? iovaFrame : iovaFrame + 1;
    if (last >= FRAME_LIMIT) return -Errno.EOVERFLOW;
    if (iovaOffset !== 0 || physOffset !== 0) return -Errno.ENXIO;
    const refused = this.#makeRoom(iovaFrame, iovaFrame, 0);
    if (refused !== 0) return refused;
    this.#mapWalk.mapped = 0;
    const errno = this.#mapWalk.single(iovaFrame, physFrame, prot);
    if (errno === 0) this.mappedBytes = PAGE_SIZE;
    return errno;
  }

  #takeTablesForEver(): number {
    while (this.#tree.frames.alloc() >= 0);
    return -Errno.ENOMEM;
  }

  #makeRoom(first: number, last: number, order: number): number {
    if (this.#tree.holds(first, last) && (!this.#dynamicTop || order < LEVEL_ORDER * this.levels)) return 0;
    if (!this.#dynamicTop) return -Errno.ERANGE;
    const errno = this.#tree.grow(first, last, Math.floor(order / LEVEL_ORDER));
    if (errno === 0) this.topChanged?.();
    return errno;
  }

  #mapRuns(iovaFrame: number, physFrame: number, pages: number, firstOrder: number, prot: number): number {
    const walk = this.#mapWalk;
    const sizes = this.#sizes;
    walk.mapped = 0;
    let order = firstOrder;
    for (let done = 0; done < pages; ) {
      const run = sizes.run(iovaFrame + done, physFrame + done, pages - done, order);
      const errno = walk.run(iovaFrame + done, physFrame + done, run, order, prot);
      if (errno !== 0) return errno;
      done += run;
      if (done < pages) order = sizes.best(iovaFrame + done, physFrame + done, pages - done);
    }
    return 0;
  }

  /** Adds a range by the rules of the table's features; a queued gather keeps none. */
  #gatherRange(gather: IotlbGather, frame: number, offset: number, bytes: number): void {
    if (gather.queued) return;
    if (this.#noGaps && gather.isDisjoint(frame, offset, bytes)) this.iotlbSync(gather);
    gather.addRange(frame, offset, bytes);
  }

  #leafTarget(low: number, high: number, level: number, iovaFrame: number): number {
    const { format } = this;
    if (format.kindOf(low, high, level) !== EntryKind.leaf) return -1;
    const size = orderFrames(LEVEL_ORDER * level + format.itemsLg2(low, high, level));
    return format.leafFrame(low, high, level) + (iovaFrame - Math.floor(iovaFrame / size) * size);
  }
}

const startLevel = (vaBits: number, dynamicTop: boolean): number => {
  const needed = Math.ceil((vaBits - PAGE_SHIFT) / LEVEL_ORDER) - 1;
  return dynamicTop ? Math.min(DYNAMIC_TOP_START, needed) : needed;
};

/** Frame of the last byte of a range that is not empty. */
function lastFrame(frame: number, offset: number, bytes: number): number {
  const pages = Math.floor(bytes / PAGE_SIZE);
  return frame + pages + Math.floor((offset + (bytes - pages * PAGE_SIZE) - 1) / PAGE_SIZE);
}

/** Last frame that a range of `bytes` bytes from a page boundary to a byte in frame `last` covers whole. */
const lastCovered = (last: number, bytes: number): number =>
  bytes === Math.floor(bytes / PAGE_SIZE) * PAGE_SIZE ? last : last - 1;

/** Hands freed tables over to a gather. */
function moveTables(freed: number[], gather: IotlbGather): void {
  for (const table of freed) gather.freelist.push(table);
  freed.length = 0;
}
