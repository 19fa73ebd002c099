// The newest surface of mm: memory management as the DMA layer sees it, and the kernel's error vocabulary.

export { Errno, type ErrnoName, errnoName } from './errno.ts';
export { FrameAllocator } from './frame-allocator.ts';
export { failure, type Outcome, success } from './outcome.ts';
export { MAX_PAGE_ORDER, PageAllocator } from './page-allocator.ts';
export { type DevPagemap, PageFrames, type ZoneDeviceKind } from './page-frames.ts';
export {
  dupMm,
  exitMmap,
  migratePage,
  vmMunmap,
  zapPageRange,
} from './process/change-user-pages.ts';
export {
  HmmPfn,
  HmmPfns,
  type HmmRange,
  hmmRangeFault,
  hmmRangeFaultUnlockedTimeout,
} from './process/hmm-range-fault.ts';
export {
  MmuIntervalNotifier,
  type MmuIntervalNotifierOps,
  type MmuNotifierRange,
  MmuNotifierSubscriptions,
  mmuIntervalNotifierInsert,
  mmuIntervalNotifierRemove,
  mmuIntervalReadBegin,
  mmuIntervalReadRetry,
  mmuIntervalSetSeq,
} from './process/mmu-interval-notifier.ts';
export {
  type GupFlags,
  type PinnedPage,
  pinUserPagesFast,
  unpinUserPage,
} from './process/pin-user-pages.ts';
export {
  type MmapOptions,
  mmdrop,
  mmgrab,
  ProcessMemory,
  type ProcessMemoryOptions,
  pinnablePages,
} from './process/process-memory.ts';
export { copyFromUser, copyToUser } from './process/user-copy.ts';
export { handleMmFault } from './process/user-fault.ts';
export { UserFolio } from './process/user-folio.ts';
export type { UserPte, VmArea, VmAreaKind } from './process/vm-area.ts';
export { allocScattered, ScatteredBuffer, type ScatterShape } from './scattered-buffer.ts';
export { SeededRandom } from './seeded-random.ts';
export { DmaApiViolation, warnViolation } from './violation.ts';
