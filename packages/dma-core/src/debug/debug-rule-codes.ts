// The codes of the checker's rules. They are stable: tests and tools match on them.
// Source followed: `dma-debug-*` are the checks of kernel/dma/debug.c, in the order of the kernel's list; `dma-shadow-*` are
// what it does not see.
// Simplified: none.

/**
 * A check that Linux makes.
 * @public
 */
export type DmaDebugCheckCode =
  | 'dma-debug-free-invalid'
  | 'dma-debug-free-unknown'
  | 'dma-debug-free-size'
  | 'dma-debug-free-function'
  | 'dma-debug-free-cpu-address'
  | 'dma-debug-free-entry-count'
  | 'dma-debug-free-direction'
  | 'dma-debug-unchecked-map-error'
  | 'dma-debug-free-attrs'
  | 'dma-debug-sync-unknown'
  | 'dma-debug-sync-outside'
  | 'dma-debug-sync-direction'
  | 'dma-debug-sync-read-only'
  | 'dma-debug-sync-write-only'
  | 'dma-debug-sync-entry-count'
  | 'dma-debug-segment-too-long'
  | 'dma-debug-segment-boundary'
  | 'dma-debug-stack-memory'
  | 'dma-debug-kernel-text'
  | 'dma-debug-invalid-area'
  | 'dma-debug-vmalloc-area'
  | 'dma-debug-mmio-ram'
  | 'dma-debug-cacheline-overlap'
  | 'dma-debug-cacheline-overflow'
  | 'dma-debug-leaked-at-unbind'
  | 'dma-debug-zone-device-page'
  | 'dma-debug-out-of-memory'
  | 'dma-debug-cacheline-memory';

/**
 * A check that Linux does not make.
 * @public
 */
export type DmaShadowCheckCode =
  | 'dma-shadow-inside-mapping'
  | 'dma-shadow-outside-mapping'
  | 'dma-shadow-wrong-api'
  | 'dma-shadow-use-after-unmap'
  | 'dma-shadow-foreign-device'
  | 'dma-shadow-physical-address'
  | 'dma-shadow-unknown-address'
  | 'dma-shadow-attrs-differ'
  | 'dma-shadow-mmio-unmarked'
  | 'dma-shadow-p2p-unmarked'
  | 'dma-shadow-mmio-ram'
  | 'dma-shadow-stack-memory'
  | 'dma-shadow-kernel-text'
  | 'dma-shadow-state-unallocated'
  | 'dma-shadow-state-freed'
  | 'dma-shadow-state-altered'
  | 'dma-shadow-state-wrong-device'
  | 'dma-shadow-state-reused'
  | 'dma-shadow-outside-range'
  | 'dma-shadow-link-overlap'
  | 'dma-shadow-sync-unlinked'
  | 'dma-shadow-never-synced'
  | 'dma-shadow-unlink-unlinked'
  | 'dma-shadow-unlink-overreach'
  | 'dma-shadow-unlink-direction'
  | 'dma-shadow-unlink-attrs'
  | 'dma-shadow-destroy-short'
  | 'dma-shadow-destroy-long'
  | 'dma-shadow-free-linked'
  | 'dma-shadow-states-leaked'
  | 'dma-shadow-access-direction'
  | 'dma-shadow-access-unlinked'
  | 'dma-shadow-access-unsynced';

/**
 * The code of a rule.
 * @public
 */
export type DmaDebugRuleCode = DmaDebugCheckCode | DmaShadowCheckCode;
