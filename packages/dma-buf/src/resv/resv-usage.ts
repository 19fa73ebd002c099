// DmaResvUsage: what a fence in a reservation stands for, and who must wait for it.
// Source followed: enum dma_resv_usage and dma_resv_usage_rw in include/linux/dma-resv.h.
// Simplified: none.

/**
 * The usages. A query for one sees every fence whose usage is not numerically greater.
 * @public
 */
export const DmaResvUsage = {
  /** Memory management of the kernel: everybody waits for it. */
  KERNEL: 0,
  /** Implicitly synchronised writes: readers wait for them. */
  WRITE: 1,
  /** Implicitly synchronised reads: writers wait for them. */
  READ: 2,
  /** No implicit synchronisation: only whoever takes the memory away waits for it. */
  BOOKKEEP: 3,
} as const;

/**
 * A usage: one of the values above.
 * @kernel dma_resv_usage
 * @public
 */
export type DmaResvUsage = (typeof DmaResvUsage)[keyof typeof DmaResvUsage];

/**
 * What an access must wait for: a write for all readers, a read for the writes.
 * @kernel dma_resv_usage_rw
 * @public
 */
export const dmaResvUsageRw = (write: boolean): DmaResvUsage =>
  write ? DmaResvUsage.READ : DmaResvUsage.WRITE;
