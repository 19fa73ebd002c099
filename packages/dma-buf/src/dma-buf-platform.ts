// DmaBufPlatform: what fences, reservations and buffers share on one machine: the scheduler, the log, the counters.
// Source followed: the globals of drivers/dma-buf (the fence context counter, the inode counter, the stub fence) and
// what the kernel's lock validator knows of the locks around a buffer.
// Simplified: one process; allocations fail only when the machine's builder says so.

import { EventLog, LockOrder, type ScheduledTask, Scheduler } from '@sgfree/hw-model';
import { warnViolation } from '@sgfree/mm';
import { FileTable } from './file/file-table.ts';

/**
 * Classes of the locks around a dma-buf, the outermost first: VFIO's memory lock, the locks of an RDMA exporter, the two of an
 * I/O address space, the reservation, and the mutex of its pages. The kernel keeps two chains, memory lock to reservation to
 * pages and address space to pages, and gives a buffer back with the domains read-held; an exporter that shows its memory in a
 * domain itself is called under both of the address space. So the reservation stands between these and the pages. Nothing
 * takes a lock of an address space, or the memory lock, with the reservation held.
 * @public
 */
export const DMA_BUF_LOCK_ORDER: readonly string[] = [
  'memory_lock',
  'dmabufs_lock',
  'dmabuf_release_lock',
  'domains_rwsem',
  'iova_rwsem',
  'dma_resv',
  'iopt_pages',
];

const DEFAULT_FD_LIMIT = 1024;

/**
 * What a platform is made with; everything has a default.
 * @public
 */
export interface DmaBufPlatformOptions {
  readonly scheduler?: Scheduler;
  readonly log?: EventLog;
  /** Asked before each allocation of so many bytes; false makes it fail. Default: all succeed. */
  readonly allocate?: (bytes: number) => boolean;
  /** File descriptors the process may have; default 1024. */
  readonly fdLimit?: number;
  /** As a kernel with CONFIG_DMABUF_DEBUG: importers get copies of tables without pages. Default true. */
  readonly debugTables?: boolean;
  /** As a kernel with mutex debugging: unlocking a reservation takes back slots that were not used. Default true. */
  readonly debugMutexes?: boolean;
}

/**
 * The shared part of a machine's dma-bufs.
 * @public
 */
export class DmaBufPlatform {
  readonly scheduler: Scheduler;
  readonly log: EventLog;
  /** Checks how the locks around buffers are nested; its faults are violations in the log. */
  readonly order: LockOrder;
  readonly debugMutexes: boolean;
  readonly debugTables: boolean;
  /** The open files of the process. */
  readonly files: FileTable;
  /** Every buffer that has been exported and not released. */
  readonly buffers: Set<{ readonly inode: number }> = new Set();
  allocate: (bytes: number) => boolean;
  readonly #interrupted = new Set<ScheduledTask<unknown>>();
  #nextContext = 1;
  #nextInode = 1;

  constructor(options: DmaBufPlatformOptions = {}) {
    this.scheduler = options.scheduler ?? new Scheduler();
    this.log = options.log ?? new EventLog();
    this.allocate = options.allocate ?? (() => true);
    this.files = new FileTable(options.fdLimit ?? DEFAULT_FD_LIMIT);
    this.debugTables = options.debugTables ?? true;
    this.debugMutexes = options.debugMutexes ?? true;
    this.order = new LockOrder(this.scheduler, DMA_BUF_LOCK_ORDER, (fault, details) =>
      warnViolation(this.log, fault, details),
    );
  }

  /** Takes `count` fresh fence contexts; the first of them. */
  takeContexts(count: number): number {
    const first = this.#nextContext;
    this.#nextContext += count;
    return first;
  }

  /** A fresh inode number; none is used twice. */
  takeInode(): number {
    const inode = this.#nextInode;
    this.#nextInode += 1;
    return inode;
  }

  /** Now, in milliseconds of the machine's clock; 0 for a machine without one. */
  get nowMs(): number {
    return this.scheduler.clock?.nowMs ?? 0;
  }

  /** Sends a signal to `task`: its interruptible waits end with -ERESTARTSYS. */
  interrupt(task: ScheduledTask<unknown>): void {
    this.#interrupted.add(task);
  }

  /** True when the running task has a signal pending. */
  signalPending(task: ScheduledTask<unknown> | null = this.scheduler.current): boolean {
    return task !== null && this.#interrupted.has(task);
  }
}
