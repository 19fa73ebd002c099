// IovaRcaches: the range caches of one domain: per size class and CPU a loaded and a previous magazine, and per class a
// depot of full ones.
// Source followed: struct iova_rcache of drivers/iommu/iova.c and the functions on it. A cached range stays in the tree.
// A get looks into one magazine only, also when another one would have a suitable frame. The depot is trimmed by one
// magazine per 100 ms while it holds more of them than there are CPUs online.
// Simplified: no locks; magazines are never refused for want of memory unless `allocateMagazine` says so.

import { type Clock, type ClockTimer, InternalError } from '@sgfree/hw-model';
import { IOVA_MAG_SIZE, IovaMagazine } from './iova-magazine.ts';
import type { IovaTree } from './iova-tree.ts';

/**
 * Size classes: 1, 2, 4, 8, 16 and 32 granules.
 * @kernel IOVA_RANGE_CACHE_MAX_SIZE
 * @internal
 */
export const IOVA_RANGE_CACHE_MAX_SIZE = 6;

/**
 * Milliseconds until a depot is trimmed.
 * @kernel IOVA_DEPOT_DELAY
 * @internal
 */
export const IOVA_DEPOT_DELAY = 100;

type Slot = IovaMagazine | null;

/**
 * Who is told of a trim: the class and the magazines its depot has left.
 * @internal
 */
export type DepotObserver = (order: number, depotSize: number) => void;

/**
 * The caches of one domain.
 * @internal
 */
export class IovaRcaches {
  /** Frames that a drain or trim gave back and that were in no range (the kernel warns). */
  warnings = 0;
  /** Called for a new magazine; false refuses it, as an atomic allocation may. */
  allocateMagazine: () => boolean = () => true;
  onDepotWork: DepotObserver = () => {};
  readonly #tree: IovaTree;
  readonly #cpus: number;
  readonly #clock: Clock | null;
  /** By CPU, then class. */
  readonly #loaded: Slot[];
  readonly #previous: Slot[];
  readonly #depots: IovaMagazine[][];
  readonly #pending: boolean[];
  readonly #timers: (ClockTimer | null)[];
  readonly #online: boolean[];

  constructor(tree: IovaTree, cpus: number, clock: Clock | null) {
    const perClass = <T>(make: () => T): T[] => Array.from({ length: IOVA_RANGE_CACHE_MAX_SIZE }, make);
    this.#tree = tree;
    this.#cpus = cpus;
    this.#clock = clock;
    this.#loaded = new Array<Slot>(cpus * IOVA_RANGE_CACHE_MAX_SIZE).fill(null);
    this.#previous = new Array<Slot>(cpus * IOVA_RANGE_CACHE_MAX_SIZE).fill(null);
    this.#depots = perClass(() => []);
    this.#pending = perClass(() => false);
    this.#timers = perClass(() => null);
    this.#online = new Array<boolean>(cpus).fill(true);
  }

  /** A cached range of 2^order granules that starts at or below `maxPfn`; 0 when this CPU finds none. */
  get(order: number, maxPfn: number, cpu: number): number {
    const slot = cpu * IOVA_RANGE_CACHE_MAX_SIZE + order;
    let magazine = this.#loaded[slot];
    if (magazine === null || magazine === undefined || magazine.size === 0) {
      magazine = this.#reload(slot, order);
      if (magazine === null) return 0;
    }
    return magazine.pop(maxPfn);
  }

  /** Keeps a range of 2^order granules; false when there is no magazine to keep it in. */
  put(order: number, pfn: number, cpu: number): boolean {
    const slot = cpu * IOVA_RANGE_CACHE_MAX_SIZE + order;
    let magazine = this.#loaded[slot];
    if (magazine === null || magazine === undefined || magazine.size === IOVA_MAG_SIZE) {
      magazine = this.#makeRoom(slot, order);
      if (magazine === null) return false;
    }
    magazine.push(pfn);
    return true;
  }

  /** Something to pop from, in the loaded place: the previous magazine, or the depot's newest. */
  #reload(slot: number, order: number): Slot {
    this.#checkSlot(slot);
    const previous = this.#previous[slot] as Slot;
    if (previous !== null && previous.size > 0) return this.#swap(slot, previous);
    const magazine = this.#depots[order]?.pop() ?? null;
    if (magazine !== null) this.#loaded[slot] = magazine;
    return magazine;
  }

  /** Something to push to, in the loaded place: the previous magazine, or a new one. */
  #makeRoom(slot: number, order: number): Slot {
    this.#checkSlot(slot);
    const loaded = this.#loaded[slot] as Slot;
    const previous = this.#previous[slot] as Slot;
    if (previous !== null && previous.size < IOVA_MAG_SIZE) return this.#swap(slot, previous);
    if (!this.allocateMagazine()) return null;
    if (loaded !== null && previous === null) this.#previous[slot] = loaded;
    else if (loaded !== null) this.#pushDepot(order, loaded);
    const magazine = new IovaMagazine();
    this.#loaded[slot] = magazine;
    return magazine;
  }

  #swap(slot: number, previous: IovaMagazine): IovaMagazine {
    this.#previous[slot] = this.#loaded[slot] as Slot;
    this.#loaded[slot] = previous;
    return previous;
  }

  #checkSlot(slot: number): void {
    if (this.#loaded[slot] === undefined) throw new InternalError(`no magazine slot ${slot}: no such CPU`);
  }

  #pushDepot(order: number, magazine: IovaMagazine): void {
    this.#depots[order]?.push(magazine);
    this.#scheduleTrim(order);
  }

  #scheduleTrim(order: number): void {
    if (this.#pending[order] === true) return;
    this.#pending[order] = true;
    this.#timers[order] = this.#clock?.after(IOVA_DEPOT_DELAY, () => this.runDepotWork(order)) ?? null;
  }

  /** Carries out the trim work of a class when it is pending; false when it is not. */
  runDepotWork(order: number): boolean {
    if (this.#pending[order] !== true) return false;
    this.#cancelTrim(order);
    const depot = this.#depots[order] ?? [];
    const magazine = depot.length > this.onlineCpus ? depot.pop() : undefined;
    if (magazine !== undefined) {
      this.#giveBack(magazine);
      this.#scheduleTrim(order);
    }
    this.onDepotWork(order, depot.length);
    return true;
  }

  #cancelTrim(order: number): void {
    const timer = this.#timers[order];
    if (timer !== null && timer !== undefined) timer.cancelled = true;
    this.#pending[order] = false;
    this.#timers[order] = null;
  }

  /** Returns a magazine's ranges to the tree, oldest first; answers how many were found there. */
  #giveBack(magazine: Slot): number {
    if (magazine === null) return 0;
    let removed = 0;
    for (const pfn of magazine.pfns.subarray(0, magazine.size)) {
      if (this.#tree.remove(pfn)) removed += 1;
      else this.warnings += 1;
    }
    magazine.size = 0;
    return removed;
  }

  /** Empties the magazines of one CPU into the tree. */
  drainCpu(cpu: number): number {
    let removed = 0;
    const end = (cpu + 1) * IOVA_RANGE_CACHE_MAX_SIZE;
    for (let slot = cpu * IOVA_RANGE_CACHE_MAX_SIZE; slot < end; slot += 1) {
      removed += this.#giveBack(this.#loaded[slot] as Slot);
      removed += this.#giveBack(this.#previous[slot] as Slot);
    }
    return removed;
  }

  /** Empties the magazines of all CPUs online and the depots into the tree; answers how many ranges left it. */
  drainAll(): number {
    let removed = 0;
    for (let cpu = 0; cpu < this.#cpus; cpu += 1) {
      if (this.#online[cpu] === true) removed += this.drainCpu(cpu);
    }
    for (const depot of this.#depots) {
      for (let magazine = depot.pop(); magazine !== undefined; magazine = depot.pop()) {
        removed += this.#giveBack(magazine);
      }
    }
    return removed;
  }

  /** Forgets every cached range without returning it, and the pending work. */
  discard(): void {
    this.#loaded.fill(null);
    this.#previous.fill(null);
    for (const [order, depot] of this.#depots.entries()) {
      depot.length = 0;
      this.#cancelTrim(order);
    }
  }

  get onlineCpus(): number {
    return this.#online.filter((online) => online).length;
  }

  /** Takes a CPU away; its cached ranges go back to the tree. */
  cpuOffline(cpu: number): void {
    this.#checkSlot(cpu * IOVA_RANGE_CACHE_MAX_SIZE);
    this.#online[cpu] = false;
    this.drainCpu(cpu);
  }

  cpuOnline(cpu: number): void {
    this.#checkSlot(cpu * IOVA_RANGE_CACHE_MAX_SIZE);
    this.#online[cpu] = true;
  }

  /** Ranges in all magazines and depots. */
  get entries(): number {
    const sum = (slots: readonly Slot[]): number =>
      slots.reduce((total, magazine) => total + (magazine?.size ?? 0), 0);
    return sum(this.#loaded) + sum(this.#previous) + sum(this.#depots.flat());
  }

  /** Magazines in the depot of a class. */
  depotSize(order: number): number {
    return this.#depots[order]?.length ?? 0;
  }

  isTrimPending(order: number): boolean {
    return this.#pending[order] === true;
  }

  /** The two magazines of a CPU and class, bottom to top; null where there is none yet. */
  magazines(cpu: number, order: number): { loaded: number[] | null; previous: number[] | null } {
    const slot = cpu * IOVA_RANGE_CACHE_MAX_SIZE + order;
    const contents = (magazine: Slot | undefined): number[] | null =>
      magazine === null || magazine === undefined ? null : [...magazine.pfns.subarray(0, magazine.size)];
    return { loaded: contents(this.#loaded[slot]), previous: contents(this.#previous[slot]) };
  }

  /** Sets the two magazines of a CPU and class. */
  restoreMagazines(
    cpu: number,
    order: number,
    loaded: readonly number[] | null,
    previous: readonly number[] | null,
  ): void {
    const slot = cpu * IOVA_RANGE_CACHE_MAX_SIZE + order;
    this.#checkSlot(slot);
    const filled = (pfns: readonly number[] | null): Slot => {
      if (pfns === null) return null;
      const magazine = new IovaMagazine();
      for (const pfn of pfns) magazine.push(pfn);
      return magazine;
    };
    this.#loaded[slot] = filled(loaded);
    this.#previous[slot] = filled(previous);
  }
}
