// ProcessMemory: the address space of a process: its areas, its page table, its limits and who watches it.
// Source followed: include/linux/mm_types.h (struct mm_struct), kernel/fork.c (mmgrab, mmdrop), mm/mlock.c (can_do_mlock).
// Simplified: one page table of 4 KiB entries, huge pages fill 512 of them; no swap, no files.

import {
  InternalError,
  offsetWithin,
  PAGE_SHIFT,
  PAGE_SIZE,
  type PhysicalMemory,
  type Scheduler,
  TaskRwLock,
} from '@sgfree/hw-model';
import type { PageAllocator } from '../page-allocator.ts';
import { PageFrames } from '../page-frames.ts';
import { MmuNotifierSubscriptions } from './mmu-interval-notifier.ts';
import { UserFolio } from './user-folio.ts';
import type { UserPte, VmArea, VmAreaKind } from './vm-area.ts';

/** First address that `mmap` without a wish hands out. */
const MMAP_BASE = 0x7f0000000000;
/** Largest huge page order: 2 MiB. */
const HPAGE_PMD_ORDER = 9;

/**
 * What a process is made with.
 * @public
 */
export interface ProcessMemoryOptions {
  readonly memory: PhysicalMemory;
  readonly pages: PageAllocator;
  readonly scheduler: Scheduler;
  readonly frames?: PageFrames;
  /** RLIMIT_MEMLOCK in bytes; default no limit. */
  readonly rlimitMemlock?: number;
  /** CAP_IPC_LOCK: the limit does not count. Default false. */
  readonly capIpcLock?: boolean;
}

/**
 * A wish for new user addresses.
 * @public
 */
export interface MmapOptions {
  /** First address, page aligned; default: wherever room is. */
  readonly at?: number;
  /** Default true. */
  readonly writable?: boolean;
  /** Faults bring 2 MiB pages. */
  readonly huge?: boolean;
}

/**
 * The address space of one process.
 * @public
 */
export class ProcessMemory {
  readonly memory: PhysicalMemory;
  readonly pages: PageAllocator;
  readonly frames: PageFrames;
  readonly scheduler: Scheduler;
  /** Read-held while the page table is walked, write-held while areas change. */
  readonly mmapLock: TaskRwLock;
  readonly notifiers: MmuNotifierSubscriptions = new MmuNotifierSubscriptions();
  rlimitMemlock: number;
  capIpcLock: boolean;
  /** Pages that drivers keep pinned for long (`pinned_vm`). */
  pinnedVm = 0;
  /** Users of the addresses; 0 = the process has exited. */
  users = 1;
  /** References of the object itself. */
  count = 1;
  readonly areas: VmArea[] = [];
  readonly ptes: Map<number, UserPte> = new Map();
  #next = MMAP_BASE;

  constructor(options: ProcessMemoryOptions) {
    this.memory = options.memory;
    this.pages = options.pages;
    this.frames = options.frames ?? new PageFrames();
    this.scheduler = options.scheduler;
    this.rlimitMemlock = options.rlimitMemlock ?? Number.POSITIVE_INFINITY;
    this.capIpcLock = options.capIpcLock ?? false;
    this.mmapLock = new TaskRwLock({
      name: 'mmap_lock',
      lockClass: 'mmap_lock',
      scheduler: options.scheduler,
    });
  }

  /** True when the process may lock memory at all (`can_do_mlock`). */
  get canDoMlock(): boolean {
    return this.capIpcLock || this.rlimitMemlock > 0;
  }

  /** The area that holds `address`, or undefined. */
  areaAt(address: number): VmArea | undefined {
    return this.areas.find(({ start, end }) => address >= start && address < end);
  }

  /** Anonymous memory of `bytes` bytes, whole pages; its pages come with the first access. The first address. */
  mmap(bytes: number, options: MmapOptions = {}): number {
    const order = options.huge === true ? HPAGE_PMD_ORDER : 0;
    const unit = PAGE_SIZE * 2 ** order;
    const start = options.at ?? Math.ceil(this.#next / unit) * unit;
    if (offsetWithin(start, unit) !== 0) throw new InternalError(`area at ${start} is not aligned`);
    return this.#add(start, Math.ceil(bytes / unit) * unit, 'anonymous', options.writable ?? true, order);
  }

  /** Shows given frames, of RAM that stays somebody else's or of a BAR, from `at` on. The first address. */
  mmapFrames(kind: VmAreaKind, frames: ArrayLike<number>, options: MmapOptions = {}): number {
    const start = options.at ?? this.#next;
    const writable = options.writable ?? true;
    this.#add(start, frames.length * PAGE_SIZE, kind, writable, 0);
    for (let page = 0; page < frames.length; page += 1) {
      const frame = frames[page] ?? 0;
      this.setPte(start / PAGE_SIZE + page, { folio: new UserFolio(frame, 0, null), frame, writable });
    }
    return start;
  }

  /** Puts an entry into the page table; what stood there must have been cleared. @internal */
  setPte(page: number, pte: UserPte): void {
    if (this.ptes.has(page)) throw new InternalError(`page ${page} is mapped twice`);
    pte.folio.mapCount += 1;
    this.ptes.set(page, pte);
  }

  /** Takes an entry out of the page table; a folio that nobody holds any more is freed. @internal */
  clearPte(page: number): void {
    const pte = this.ptes.get(page);
    if (pte === undefined) return;
    this.ptes.delete(page);
    pte.folio.mapCount -= 1;
    pte.folio.drop();
  }

  #add(start: number, bytes: number, kind: VmAreaKind, writable: boolean, order: number): number {
    const end = start + bytes;
    if (this.areas.some((area) => start < area.end && area.start < end)) {
      throw new InternalError(`area at ${start} overlaps another`);
    }
    this.areas.push({ start, end, kind, writable, order });
    if (end > this.#next) this.#next = end + PAGE_SIZE;
    return start;
  }
}

/**
 * Pages that a registration may keep pinned in all: the limit in pages, no limit with CAP_IPC_LOCK.
 * @internal
 */
export const pinnablePages = (mm: ProcessMemory): number =>
  mm.capIpcLock ? Number.POSITIVE_INFINITY : Math.floor(mm.rlimitMemlock / 2 ** PAGE_SHIFT);

/**
 * Keeps the object, not the addresses.
 * @public
 * @kernel mmgrab
 */
export function mmgrab(mm: ProcessMemory): void {
  mm.count += 1;
}

/**
 * Gives {@link mmgrab} back.
 * @public
 * @kernel mmdrop
 */
export function mmdrop(mm: ProcessMemory): void {
  mm.count -= 1;
}
