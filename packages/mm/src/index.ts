// The newest surface of mm: memory management as the DMA layer sees it, and the kernel's error vocabulary.

export { Errno, type ErrnoName, errnoName } from './errno.ts';
export { FrameAllocator } from './frame-allocator.ts';
export { failure, type Outcome, success } from './outcome.ts';
export { MAX_PAGE_ORDER, PageAllocator } from './page-allocator.ts';
export { type DevPagemap, PageFrames, type ZoneDeviceKind } from './page-frames.ts';
export { allocScattered, ScatteredBuffer, type ScatterShape } from './scattered-buffer.ts';
export { SeededRandom } from './seeded-random.ts';
export { DmaApiViolation, warnViolation } from './violation.ts';
