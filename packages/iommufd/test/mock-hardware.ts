// What the mock driver says of its hardware: two words, and a type of its own that user space may ask for.
// Source followed: mock_domain_hw_info and struct iommu_test_hw_info of the kernel's iommufd selftest.
// Simplified: for tests only.

/** IOMMU_HW_INFO_TYPE_SELFTEST. */
export const MOCK_INFO_TYPE = 0xfeedbeef;
/** The words: flags, and the value of the test register. */
export const MOCK_INFO_BYTES: readonly number[] = [0, 0, 0, 0, 0xef, 0xbe, 0xad, 0xde];
