// LinuxQuirks: behaviours of the kernel that the model mends unless they are asked for by name.
// Source followed: drivers/iommu/generic_pt/iommu_pt.h as recorded (docs/kernel-findings.md names each quirk).
// They exist so that a test can show the harm; no stage of the road asks for them.
// Simplified: what would never end in the kernel ends here when the window of page frames is used up.

/**
 * Quirks of page tables, off unless set.
 * @public
 */
export interface LinuxQuirks {
  /**
   * `map-odd-length-endless`: a length that ends inside a page is not refused; after its whole pages table pages are
   * taken without end, and none of them is ever reached or freed.
   */
  readonly mapOddLengthEndless?: boolean;
}
