// IovaDomain: the I/O address space of one DMA domain: which frames are taken, and the caches in front of that.
// Source followed: struct iova_domain of include/linux/iova.h and init_iova_domain of drivers/iommu/iova.c.
// A frame is one granule. The flat functions beside this file allocate and free; the class shows what is inside.
// Simplified: one thread of execution; which CPU runs is an argument of the calls.

import type { Clock } from '@sgfree/hw-model';
import { DmaApiViolation } from '@sgfree/mm';
import type { IovaRange } from './iova-range.ts';
import { type DepotObserver, IOVA_RANGE_CACHE_MAX_SIZE, IovaRcaches } from './iova-rcaches.ts';
import { IovaTree } from './iova-tree.ts';
import { IOVA_ANCHOR } from './range-index.ts';

/**
 * What an {@link IovaDomain} is made with.
 * @public
 */
export interface IovaDomainOptions {
  /** Bytes of a frame: a power of two, at most `pageSize`. */
  readonly granule: number;
  /** Lowest frame ever handed out. DMA domains have at least 1, so that address 0 can mean failure. */
  readonly startPfn: number;
  /** Bytes of a page of the CPU; 4096 unless given. */
  readonly pageSize?: number;
  /** CPUs, all online at the start; 1 unless given. */
  readonly cpus?: number;
  /** False leaves out the range caches; true unless given. */
  readonly rcaches?: boolean;
  /** Times the trimming of the depots; without it trim work waits for {@link iovaDepotWorkFunc}. */
  readonly clock?: Clock;
  /** Told of each run of trim work: the size class and the magazines left in its depot. */
  readonly onDepotWork?: (order: number, depotSize: number) => void;
  /** Asked before a magazine is allocated; false makes that fail, as an atomic allocation may. */
  readonly allocateMagazine?: () => boolean;
}

/**
 * How full the two magazines of a size class are; -1 = none yet.
 * @public
 */
export type MagazineFill = readonly [loaded: number, previous: number];

/**
 * The I/O address space of one domain.
 * Throws {@link @sgfree/mm#DmaApiViolation} `iova-granule` for a granule that is no power of two or exceeds the page.
 * @kernel struct iova_domain
 * @public
 */
export class IovaDomain {
  /** Bytes of a frame. */
  readonly granule: number;
  /** Base-2 logarithm of the granule. */
  readonly shift: number;
  readonly startPfn: number;
  /** First frame at or above 4 GiB. */
  readonly dma32BitPfn: number;
  readonly cpus: number;
  /** Successful allocations handed to callers, from a cache or from the tree. */
  allocations = 0;
  /** Those of them that came from a cache. */
  cacheHits = 0;
  /** Ranges that left the tree because a failing request had the caches emptied. */
  flushedRanges = 0;
  /** Reservations beyond 2^64 bytes. */
  refusedReservations = 0;
  /** @internal */
  readonly tree: IovaTree;
  /** Null without range caches. @internal */
  readonly rcaches: IovaRcaches | null;

  constructor(options: IovaDomainOptions) {
    const { granule, startPfn, pageSize = 4096, cpus = 1, rcaches = true, clock } = options;
    const shift = Math.log2(granule);
    if (!Number.isInteger(shift) || shift < 0 || shift > 32 || granule > pageSize) {
      throw new DmaApiViolation('iova-granule', `granule ${granule} with pages of ${pageSize} bytes`);
    }
    this.granule = granule;
    this.shift = shift;
    this.startPfn = startPfn;
    this.dma32BitPfn = 2 ** (32 - shift);
    this.cpus = cpus;
    this.tree = new IovaTree(startPfn, this.dma32BitPfn);
    this.rcaches = rcaches ? new IovaRcaches(this.tree, cpus, clock ?? null) : null;
    if (this.rcaches !== null) setHooks(this.rcaches, options.onDepotWork, options.allocateMagazine);
  }

  /** First frame of the remembered node of 64-bit searches; null = the end anchor. */
  get cachedNode(): number | null {
    return this.tree.cached === IOVA_ANCHOR ? null : this.tree.cached;
  }

  /** First frame of the remembered node of 32-bit searches; null = the end anchor. */
  get cached32Node(): number | null {
    return this.tree.cached32 === IOVA_ANCHOR ? null : this.tree.cached32;
  }

  /** 32-bit requests of this many frames and more fail without a search. */
  get max32AllocSize(): number {
    return this.tree.max32AllocSize;
  }

  /** Ranges in the tree: owned by callers, reserved or cached; the anchor not counted. */
  get rangeCount(): number {
    return this.tree.size;
  }

  /** Ranges that sit in a cache. */
  get cachedRanges(): number {
    return this.rcaches?.entries ?? 0;
  }

  /** Ranges that callers own: in the tree, neither reserved nor cached. */
  get liveRanges(): number {
    return this.tree.size - this.tree.reservedCount - this.cachedRanges;
  }

  /** What the kernel answers with a WARN: refused reservations, and cached ranges that are not in the tree. */
  get warnings(): number {
    return this.refusedReservations + (this.rcaches?.warnings ?? 0);
  }

  /** CPUs online. */
  get onlineCpus(): number {
    return this.rcaches?.onlineCpus ?? this.cpus;
  }

  /** Every range in ascending order, the anchor left out. */
  ranges(): IovaRange[] {
    const list: IovaRange[] = [];
    this.tree.forEach((lo, hi) => {
      list.push([lo, hi]);
    });
    return list;
  }

  /** Magazines in the depot of each size class. */
  depotSizes(): number[] {
    return Array.from(
      { length: IOVA_RANGE_CACHE_MAX_SIZE },
      (_, order) => this.rcaches?.depotSize(order) ?? 0,
    );
  }

  /** How full the magazines of a CPU are, by size class. */
  magazineFills(cpu: number): MagazineFill[] {
    return Array.from({ length: IOVA_RANGE_CACHE_MAX_SIZE }, (_, order) => {
      const found = this.rcaches?.magazines(cpu, order);
      return [found?.loaded?.length ?? -1, found?.previous?.length ?? -1] as const;
    });
  }

  /** True while trim work of a size class waits for its 100 ms. */
  isTrimPending(order: number): boolean {
    return this.rcaches?.isTrimPending(order) ?? false;
  }
}

function setHooks(
  rcaches: IovaRcaches,
  onDepotWork: DepotObserver | undefined,
  allocateMagazine: (() => boolean) | undefined,
): void {
  if (onDepotWork !== undefined) rcaches.onDepotWork = onDepotWork;
  if (allocateMagazine !== undefined) rcaches.allocateMagazine = allocateMagazine;
}
