// The newest surface of mm: memory management as the DMA layer sees it, and the kernel's error vocabulary.

export { Errno, type ErrnoName, errnoName } from './errno.ts';
export { FrameAllocator } from './frame-allocator.ts';
export { failure, type Outcome, success } from './outcome.ts';
export { DmaApiViolation, warnViolation } from './violation.ts';
