// IOMMU permission bits: what a mapping allows and how the memory behind it behaves.
// Source followed: include/linux/iommu.h.
// Simplified: the three formats modelled look at READ and WRITE only (prot-bits-dropped).

/**
 * The device may read.
 * @public
 * @kernel IOMMU_READ
 */
export const IOMMU_READ = 1;

/**
 * The device may write.
 * @public
 * @kernel IOMMU_WRITE
 */
export const IOMMU_WRITE = 2;

/**
 * DMA is cache coherent.
 * @public
 * @kernel IOMMU_CACHE
 */
export const IOMMU_CACHE = 4;

/**
 * The device must not fetch instructions.
 * @public
 * @kernel IOMMU_NOEXEC
 */
export const IOMMU_NOEXEC = 8;

/**
 * The target is a device register range.
 * @public
 * @kernel IOMMU_MMIO
 */
export const IOMMU_MMIO = 16;

/**
 * Only privileged accesses.
 * @public
 * @kernel IOMMU_PRIV
 */
export const IOMMU_PRIV = 32;
