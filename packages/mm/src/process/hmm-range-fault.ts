// HMM: a driver that pins nothing asks which frames stand behind user addresses, and has missing ones brought.
// Source followed: mm/hmm.c (hmm_range_fault, hmm_pte_need_fault), include/linux/hmm.h.
// What an entry says of its DMA mapping survives a new look at the page. The answer is good only until the watcher of the
// range is told of a change: the caller checks the sequence number under its own lock.
// Simplified: flags, order and frame are columns; device-private memory does not exist.

import { type ModelTask, PAGE_SIZE } from '@sgfree/hw-model';
import { Errno } from '../errno.ts';
import {
  type MmuIntervalNotifier,
  mmuIntervalReadBegin,
  mmuIntervalReadRetry,
} from './mmu-interval-notifier.ts';
import type { ProcessMemory } from './process-memory.ts';
import { handleMmFault } from './user-fault.ts';

/**
 * Flags of an entry: bits 63 down to 58 of the kernel's word.
 * @public
 */
export const HmmPfn = {
  VALID: 0x20,
  WRITE: 0x10,
  ERROR: 8,
  DMA_MAPPED: 4,
  P2PDMA: 2,
  P2PDMA_BUS: 1,
} as const;

/** What survives a new look: DMA_MAPPED, P2PDMA, P2PDMA_BUS. */
const STICKY = 7;

/**
 * What is known of each page of a range.
 * @public
 */
export class HmmPfns {
  readonly flags: Uint8Array;
  readonly order: Uint8Array;
  readonly frame: Float64Array;

  constructor(entries: number) {
    this.flags = new Uint8Array(entries);
    this.order = new Uint8Array(entries);
    this.frame = new Float64Array(entries);
  }
}

/**
 * A look at bytes `start` to `end` (page aligned, exclusive), written into `pfns` from `first` on.
 * @public
 * @kernel struct hmm_range
 */
export interface HmmRange {
  readonly notifier: MmuIntervalNotifier;
  notifierSeq: number;
  readonly start: number;
  readonly end: number;
  readonly pfns: HmmPfns;
  readonly first: number;
  /** Missing pages are brought (`HMM_PFN_REQ_FAULT`); else the look is a snapshot. */
  readonly fault: boolean;
  /** They are made writable (`HMM_PFN_REQ_WRITE`). */
  readonly write: boolean;
}

/**
 * Looks at a range with the mmap lock held: 0; -EBUSY when an invalidation came in between; -EFAULT where a page that was
 * asked for cannot be had; -EPERM where it may not be written.
 * @public
 * @kernel hmm_range_fault
 */
export function* hmmRangeFault(mm: ProcessMemory, range: HmmRange): ModelTask<number> {
  for (let at = range.start; at < range.end; at += PAGE_SIZE) {
    if (mmuIntervalReadRetry(range.notifier, range.notifierSeq)) return -Errno.EBUSY;
    const error = yield* lookAtPage(mm, range, at);
    if (error !== 0) return error;
  }
  return 0;
}

function* lookAtPage(mm: ProcessMemory, range: HmmRange, address: number): ModelTask<number> {
  const { pfns, fault, write } = range;
  const entry = range.first + (address - range.start) / PAGE_SIZE;
  const area = mm.areaAt(address);
  // A BAR without pages has nothing that could be shown; rights are an error only of a fault.
  if (fault && (area === undefined || area.kind === 'io')) return -Errno.EFAULT;
  if (fault && write && area?.writable === false) return -Errno.EPERM;
  const present = mm.ptes.get(address / PAGE_SIZE);
  if (fault && (present === undefined || (write && !present.writable))) {
    // Whatever a fault failed for, also memory that ran out, is told as one error.
    if ((yield* handleMmFault(mm, address, write)) !== 0) return -Errno.EFAULT;
  }
  const pte = area?.kind === 'io' ? undefined : mm.ptes.get(address / PAGE_SIZE);
  const sticky = (pfns.flags[entry] ?? 0) & STICKY;
  if (pte === undefined) {
    pfns.flags[entry] = sticky + (area?.kind === 'io' || area === undefined ? HmmPfn.ERROR : 0);
    return 0;
  }
  pfns.flags[entry] = sticky + HmmPfn.VALID + (pte.writable ? HmmPfn.WRITE : 0);
  pfns.frame[entry] = pte.frame;
  pfns.order[entry] = pte.folio.order;
  return 0;
}

/**
 * Looks at a range without holding anything: begins a read, takes the mmap lock, and starts again after an invalidation until
 * `timeoutMs` milliseconds have passed on the scheduler's clock (-EBUSY). Other errors as {@link hmmRangeFault}.
 * @public
 * @kernel hmm_range_fault_unlocked_timeout
 */
export function* hmmRangeFaultUnlockedTimeout(
  mm: ProcessMemory,
  range: HmmRange,
  timeoutMs: number,
): ModelTask<number> {
  const now = (): number => mm.scheduler.clock?.nowMs ?? 0;
  const deadline = now() + timeoutMs;
  for (;;) {
    range.notifierSeq = yield* mmuIntervalReadBegin(range.notifier);
    yield* mm.mmapLock.readLock();
    const error = yield* hmmRangeFault(mm, range);
    mm.mmapLock.readUnlock();
    if (error !== -Errno.EBUSY || now() >= deadline) return error;
  }
}
