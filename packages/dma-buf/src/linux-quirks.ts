// LinuxQuirks: behaviours of the kernel that dma-buf mends unless they are asked for by name.
// Source followed: drivers/dma-buf/dma-buf-mapping.c as read and recorded (docs/kernel-findings.md names each quirk).
// They exist so that records replay and a test can show the harm; no stage of the road asks for them.
// Simplified: none.

/**
 * Quirks of tables of physical ranges, off unless set.
 * @public
 */
export interface LinuxQuirks {
  /**
   * `phys-vec-offset-zero`: every range is linked at offset 0 of the IOVA range, so that a second one meets the first:
   * -EADDRINUSE.
   */
  readonly physVecOffsetZero?: boolean;
  /**
   * `phys-vec-leaks`: the IOVA range is lost when the table or the first link fails, a failed mapping without IOMMU
   * unmaps entries that were never filled, and the entry array outlives its table.
   */
  readonly physVecLeaks?: boolean;
}
