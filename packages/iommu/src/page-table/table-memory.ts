// TableMemory: table pages as the CPU's stores see them, where the walker does not see those stores at once.
// Source followed: drivers/iommu/generic_pt/iommu_pt.h (flush_writes_range, flush_writes_item of feature DMA_INCOHERENT).
// Without one the CPU and the walker share memory, as they do on a machine whose walks snoop.
// Simplified: device tables and queues are written past the caches.

/**
 * The CPU's side of table pages. Words are the 1024 little-endian words of a page.
 * @public
 */
export interface TableMemory {
  /** The CPU's words of a table page, live: the same object each time. */
  frameWords(frame: number): Uint32Array;
  /** A page was taken for a table: it is zero on both sides. */
  fresh(frame: number): void;
  /** Writes the words `from` to `until` of a table back to memory; called for tables of an incoherent walker only. */
  writeBack(words: Uint32Array, from: number, until: number): void;
}
